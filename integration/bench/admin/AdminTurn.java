import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.TopicPartition;

/** What the process of each client for Node does, with Java's own. Prints one line of JSON. */
public final class AdminTurn {
  /** Brokers, prefix of the topics, how many there are, partitions of each, calls of each kind. */
  public static void main(String[] args) throws Exception {
    String prefix = args[1];
    int topics = Integer.parseInt(args[2]);
    int partitions = Integer.parseInt(args[3]);
    int calls = Integer.parseInt(args[4]);
    List<String> names =
        IntStream.range(0, topics).mapToObj(index -> prefix + "-" + index).collect(Collectors.toList());
    Map<String, Object> config = new HashMap<>();
    config.put("bootstrap.servers", args[0]);
    try (Admin admin = Admin.create(config)) {
      // The others are connected as well before they are timed.
      admin.describeCluster().nodes().get();
      long[] described = new long[2];
      String describe = timed(calls, () -> {
        Map<String, TopicDescription> all = admin.describeTopics(names).allTopicNames().get();
        described[0] = all.size();
        described[1] = all.values().stream()
            .flatMap(topic -> topic.partitions().stream())
            .filter(partition -> partition.leader() != null)
            .count();
        return null;
      });
      long[] listed = new long[2];
      String offsets = timed(calls, () -> {
        Map<TopicPartition, OffsetSpec> queries = new HashMap<>();
        for (String name : names) {
          for (int partition = 0; partition < partitions; partition++) {
            queries.put(new TopicPartition(name, partition), OffsetSpec.latest());
          }
        }
        Map<TopicPartition, ListOffsetsResultInfo> all = admin.listOffsets(queries).all().get();
        listed[0] = all.size();
        listed[1] = all.values().stream().mapToLong(ListOffsetsResultInfo::offset).sum();
        return null;
      });
      System.out.printf(
          "{\"described\":{\"topics\":%d,\"ledPartitions\":%d},\"listed\":{\"partitions\":%d,\"records\":%d},"
              + "\"describe\":%s,\"offsets\":%s}%n",
          described[0], described[1], listed[0], listed[1], describe, offsets);
    }
  }

  private static String timed(int calls, Callable<Void> call) throws Exception {
    long startedAt = System.nanoTime();
    call.call();
    double firstMs = (System.nanoTime() - startedAt) / 1e6;
    double[] tookMs = new double[calls - 1];
    long cpuBefore = cpuNanos();
    for (int index = 0; index < tookMs.length; index++) {
      long calledAt = System.nanoTime();
      call.call();
      tookMs[index] = (System.nanoTime() - calledAt) / 1e6;
    }
    double cpuMs = (cpuNanos() - cpuBefore) / 1e6 / tookMs.length;
    Arrays.sort(tookMs);
    int middle = tookMs.length / 2;
    double laterMs = tookMs.length % 2 == 1 ? tookMs[middle] : (tookMs[middle - 1] + tookMs[middle]) / 2;
    return String.format("{\"firstMs\":%.3f,\"laterMs\":%.3f,\"cpuMs\":%.3f}", firstMs, laterMs, cpuMs);
  }

  private static long cpuNanos() {
    return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
  }
}
