import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Assignment;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.GroupSubscription;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Subscription;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.clients.consumer.RoundRobinAssignor;
import org.apache.kafka.clients.consumer.StickyAssignor;
import org.apache.kafka.common.Cluster;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;

import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Prints what Kafka's own assignors make of some hundred groups, one JSON object per group.
 *
 * <pre>java -cp 'JARS/*' Assignments.java > ../assignments.jsonl</pre>
 *
 * where JARS is the folder of ../README.md.
 */
public final class Assignments {
    private static final PrintStream OUT = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    private static final int GROUPS = 300;
    private static final int GENERATION = 7;
    private static final Comparator<TopicPartition> BY_NUMBER =
        Comparator.comparing(TopicPartition::topic).thenComparing(TopicPartition::partition);

    private static final class Member {
        String id;
        String instance;
        String rack;
        Set<String> topics = new LinkedHashSet<>();
        List<TopicPartition> owned = new ArrayList<>();
        int generation = -1;
    }

    private final Random random;
    /** Of each topic the racks of each partition, one letter each. */
    private final Map<String, List<String>> topics = new TreeMap<>();
    private final List<Member> members = new ArrayList<>();
    private final boolean isUniform;
    private final boolean hasMemberRacks;
    private final boolean hasPartitionRacks;
    private int ids;

    private Assignments(int seed) {
        // Random makes much the same of small seeds at first.
        random = new Random(seed * 0x9E3779B97F4A7C15L);
        isUniform = random.nextBoolean();
        hasMemberRacks = random.nextInt(3) > 0;
        hasPartitionRacks = random.nextInt(5) > 0;
    }

    public static void main(String[] args) {
        // The assignors log what is wrong with a group, and some loggers print that among the groups.
        System.setProperty("log4j2.level", "OFF");
        for (int seed = 0; seed < GROUPS; seed++) new Assignments(seed).print();
        OUT.flush();
    }

    private void print() {
        int sameSize = random.nextBoolean() ? 1 + random.nextInt(12) : 0;
        int topicCount = 1 + random.nextInt(5);
        for (int i = 0; i < topicCount; i++) {
            grow("t" + i, sameSize > 0 && random.nextInt(4) > 0 ? sameSize : 1 + random.nextInt(12));
        }
        int memberCount = 1 + random.nextInt(8);
        for (int i = 0; i < memberCount; i++) members.add(newMember());
        if (random.nextInt(4) > 0) live();

        StringBuilder line = new StringBuilder("{\"topics\":{");
        line.append(topics.entrySet().stream()
            .map(e -> quoted(e.getKey()) + ":" + quoted(String.join(",", e.getValue())))
            .collect(Collectors.joining(",")));
        line.append("},\"members\":[");
        line.append(members.stream().map(this::json).collect(Collectors.joining(",")));
        line.append("]");
        ConsumerPartitionAssignor[] assignors = {
            new RangeAssignor(), new RoundRobinAssignor(), new StickyAssignor(), new CooperativeStickyAssignor()
        };
        for (ConsumerPartitionAssignor assignor : assignors) {
            Map<String, Assignment> assignment = assign(assignor);
            line.append(",").append(quoted(assignor.name())).append(":[");
            line.append(members.stream().map(m -> quoted(text(assignment.get(m.id).partitions()))).collect(Collectors.joining(",")));
            line.append("]");
        }
        OUT.print(line.append("}\n"));
    }

    /** The group has had a generation before; then members leave, join and change their minds, and topics grow. */
    private void live() {
        Map<String, Assignment> before = assign(new StickyAssignor());
        for (Member member : members) {
            member.owned = new ArrayList<>(before.get(member.id).partitions());
            member.generation = GENERATION;
        }
        for (int changes = 1 + random.nextInt(3); changes > 0; changes--) {
            switch (random.nextInt(5)) {
                case 0 -> { if (members.size() > 1) members.remove(random.nextInt(members.size())); }
                case 1 -> members.add(newMember());
                case 2 -> grow("t" + random.nextInt(topics.size()), random.nextInt(4));
                case 3 -> { if (!isUniform) subscribe(any()); }
                default -> misremember(any(), any());
            }
        }
        for (Member member : members) {
            member.owned.removeIf(tp -> !member.topics.contains(tp.topic()));
            member.owned.sort(BY_NUMBER);
        }
    }

    /** A member missed a rebalance, and claims what another has by now; or, wrongly, says that it did not. */
    private void misremember(Member member, Member other) {
        if (member == other) return;
        for (TopicPartition partition : other.owned) {
            if (random.nextBoolean() && !member.owned.contains(partition)) member.owned.add(partition);
        }
        if (random.nextInt(3) > 0) member.generation = GENERATION - 1 - random.nextInt(2);
    }

    private Member any() {
        return members.get(random.nextInt(members.size()));
    }

    private Member newMember() {
        Member member = new Member();
        member.id = (char) ('a' + random.nextInt(26)) + "" + ids++;
        if (random.nextInt(4) == 0) member.instance = (char) ('A' + random.nextInt(26)) + "" + ids;
        if (hasMemberRacks && random.nextInt(6) > 0) member.rack = String.valueOf((char) ('p' + random.nextInt(4)));
        subscribe(member);
        return member;
    }

    private void subscribe(Member member) {
        member.topics.clear();
        for (String topic : topics.keySet()) if (isUniform || random.nextInt(3) > 0) member.topics.add(topic);
        if (random.nextInt(10) == 0) member.topics.add("missing");
    }

    private void grow(String topic, int count) {
        List<String> partitions = topics.computeIfAbsent(topic, name -> new ArrayList<>());
        for (int i = 0; i < count; i++) {
            StringBuilder racks = new StringBuilder();
            for (char rack = 'p'; rack < 's'; rack++) if (hasPartitionRacks && random.nextInt(2) == 0) racks.append(rack);
            partitions.add(racks.toString());
        }
    }

    private Map<String, Assignment> assign(ConsumerPartitionAssignor assignor) {
        List<PartitionInfo> partitions = new ArrayList<>();
        Set<Node> nodes = new LinkedHashSet<>();
        topics.forEach((topic, racks) -> {
            for (int i = 0; i < racks.size(); i++) {
                Node[] replicas = racks.get(i).chars()
                    .mapToObj(rack -> new Node(rack, "host", 9092, String.valueOf((char) rack)))
                    .toArray(Node[]::new);
                nodes.addAll(List.of(replicas));
                partitions.add(new PartitionInfo(topic, i, null, replicas, replicas));
            }
        });
        Cluster cluster = new Cluster("cluster", nodes, partitions, Set.of(), Set.of());
        Map<String, Subscription> subscriptions = new LinkedHashMap<>();
        for (Member member : members) {
            Subscription subscription = new Subscription(
                new ArrayList<>(member.topics), userData(member), member.owned,
                member.generation, Optional.ofNullable(member.rack));
            subscription.setGroupInstanceId(Optional.ofNullable(member.instance));
            subscriptions.put(member.id, subscription);
        }
        return assignor.assign(cluster, new GroupSubscription(subscriptions)).groupAssignment();
    }

    /** What the sticky assignor of the member says; the cooperative one passes it over, having the generation elsewhere. */
    private ByteBuffer userData(Member member) {
        StickyAssignor assignor = new StickyAssignor();
        if (member.generation >= 0) {
            ConsumerGroupMetadata group =
                new ConsumerGroupMetadata("group", member.generation, member.id, Optional.ofNullable(member.instance));
            assignor.onAssignment(new Assignment(member.owned), group);
        }
        return assignor.subscriptionUserData(member.topics);
    }

    private String json(Member member) {
        StringBuilder line = new StringBuilder("{\"memberId\":" + quoted(member.id));
        if (member.instance != null) line.append(",\"groupInstanceId\":").append(quoted(member.instance));
        if (member.rack != null) line.append(",\"rackId\":").append(quoted(member.rack));
        line.append(",\"topics\":").append(quoted(String.join(",", member.topics)));
        if (member.generation >= 0) {
            line.append(",\"owned\":").append(quoted(text(member.owned)));
            line.append(",\"generationId\":").append(member.generation);
            line.append(",\"userData\":").append(quoted(HexFormat.of().formatHex(userData(member).array())));
        }
        return line.append("}").toString();
    }

    /** Partitions by topic and number: <code>orders:0,1 payments:2</code>. */
    private static String text(Collection<TopicPartition> partitions) {
        Map<String, String> byTopic = partitions.stream()
            .sorted(BY_NUMBER)
            .collect(Collectors.groupingBy(TopicPartition::topic, TreeMap::new,
                Collectors.mapping(tp -> Integer.toString(tp.partition()), Collectors.joining(","))));
        return byTopic.entrySet().stream().map(e -> e.getKey() + ":" + e.getValue()).collect(Collectors.joining(" "));
    }

    private static String quoted(String text) {
        return '"' + text + '"';
    }
}
