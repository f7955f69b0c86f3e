import { DecodeError } from "@odradek/protocol";
import { describe, expect, test } from "vitest";
import { brokerAnswer, metadataAnswer, partitionAnswer, topicAnswer } from "../../../network/test/metadata-answers.ts";
import { decodeAssignment } from "../../src/group/consumer-protocol.ts";
import { GroupLeader } from "../../src/group/group-leader.ts";
import type {
  AssignableTopics,
  ConsumerPartitionAssignor,
  MemberAssignment,
  MemberSubscription,
} from "../../src/group/partition-assignor.ts";
import { TestCluster, topicLedBy } from "../test-cluster.ts";
import { joinedAsLeader, named, texts } from "./scripted-group.ts";

type Members = Parameters<typeof joinedAsLeader>[0];

const two: Members = [{ memberId: "b" }, { memberId: "a", topics: ["orders", "refunds"] }];

/** A leader whose assignor gives what a test says, in a cluster with `orders` (2 partitions) and `refunds` (1). */
function fixture(
  members: Members = two,
  gives: readonly MemberAssignment[] | Error = [],
  protocols?: ConsumerPartitionAssignor["protocols"],
) {
  const seen: { topics: AssignableTopics; members: readonly MemberSubscription[] }[] = [];
  const assignor: ConsumerPartitionAssignor = {
    name: "scripted",
    ...(protocols === undefined ? {} : { protocols }),
    assign: (topics, subscriptions) => {
      seen.push({ topics, members: subscriptions });
      if (gives instanceof Error) throw gives;
      return gives;
    },
  };
  const cluster = new TestCluster([topicLedBy("orders", [1, 2]), topicLedBy("refunds", [3])]);
  const leader = new GroupLeader(assignor, joinedAsLeader(members).members);
  const decide = () => {
    const decision = leader.decide(cluster.metadata.snapshot);
    if (decision instanceof Promise) throw new Error("it takes its time");
    return decision;
  };
  const isOutdated = () => leader.isOutdated(cluster.metadata.snapshot);
  return { leader, cluster, seen, decide, isOutdated };
}

/** A cluster in which the brokers 1 and 2 are in the racks `a` and `b`, and partition 0 of `orders` is on those named. */
function racked(cluster: TestCluster, replicaNodes: number[], rack: string | null = "b") {
  const brokers = [{ ...brokerAnswer(1), rack: "a" }, { ...brokerAnswer(2), rack }, brokerAnswer(3)];
  const topics = [topicAnswer("orders", [partitionAnswer(0, 1, 5, { replicaNodes })]), topicLedBy("refunds", [3])];
  cluster.metadata.update(metadataAnswer(topics, { brokers }), 12);
}

describe("GroupLeader.decide", () => {
  test("tells the assignor of all members, by their ids, and of the topics that any of them subscribed to", () => {
    const { decide, seen } = fixture([
      { memberId: "b", rackId: "r1", generationId: 4, ownedPartitions: named("orders-1"), userData: Buffer.from("x") },
      { memberId: "a", groupInstanceId: "host-1", topics: ["refunds", "unknown"] },
    ]);
    decide();
    expect(seen[0]?.members).toMatchObject([
      { memberId: "a", groupInstanceId: "host-1", topics: ["refunds", "unknown"], generationId: -1, rackId: null },
      {
        memberId: "b",
        groupInstanceId: null,
        topics: ["orders"],
        rackId: "r1",
        generationId: 4,
        ownedPartitions: named("orders-1"),
        userData: Buffer.from("x"),
      },
    ]);
    const topics = [...(seen[0]?.topics ?? [])].map(([name, partitions]) => [name, ...texts(partitions)].join(" "));
    expect(topics.sort()).toEqual(["orders orders-0 orders-1", "refunds refunds-0"]);
  });

  test("tells in which racks replicas are, each once, where brokers say so", () => {
    const { decide, seen, cluster } = fixture();
    racked(cluster, [1, 2, 3], "a");
    decide();
    expect(seen[0]?.topics.get("orders")?.map(({ racks }) => racks)).toEqual([["a"]]);
  });

  test("gives each member what the assignor gave it, and nothing to those that it left out", () => {
    const { decide } = fixture(two, [
      { memberId: "a", partitions: named("refunds-0", "orders-1"), userData: new Uint8Array([7]) },
    ]);
    const given = decide().map(({ memberId, assignment }) => ({ memberId, ...decodeAssignment(assignment) }));
    expect(given).toEqual([
      { memberId: "a", partitions: named("orders-1", "refunds-0"), userData: Buffer.from([7]) },
      { memberId: "b", partitions: [], userData: null },
    ]);
  });

  test.each<[string, MemberAssignment[] | Error, string]>([
    ["throws", new Error("moody"), "the assignor scripted threw"],
    ["names a stranger", [{ memberId: "c", partitions: [] }], "gave something to c, which is no member"],
    [
      "gives to one that did not ask",
      [{ memberId: "b", partitions: named("refunds-0") }],
      "gave refunds-0 to b, which",
    ],
    ["gives what is not", [{ memberId: "b", partitions: named("orders-2") }], "gave orders-2 to b, and there is none"],
    ["gives of no topic", [{ memberId: "a", partitions: named("gone-0") }], "gave gone-0 to a, and there is none"],
    [
      "gives one partition to two",
      [
        { memberId: "a", partitions: named("orders-0") },
        { memberId: "b", partitions: named("orders-0") },
      ],
      "gave orders-0 to both a and b",
    ],
    ["gives one partition twice", [{ memberId: "a", partitions: named("orders-0", "orders-0") }], "to both a and a"],
  ])("refuses an assignor that %s", (_, gives, message) => {
    const { decide } = fixture(two, gives);
    expect(decide).toThrow(message);
    expect(decide).toThrow(expect.objectContaining({ code: "ASSIGNOR" }));
  });

  const holder = { memberId: "a", ownedPartitions: named("orders-0"), generationId: 4 };
  const other = { memberId: "b", generationId: 4 };
  const toOther = [{ memberId: "b", partitions: named("orders-0") }];

  test("refuses a cooperative assignor that gives away what another still holds", () => {
    const { decide } = fixture([holder, other], toOther, ["cooperative"]);
    expect(decide).toThrow("gave orders-0 to b before a gave it up");
  });

  test.each<[string, Members, readonly ("eager" | "cooperative")[] | undefined]>([
    ["an eager assignor", [holder, other], undefined],
    ["what was lost in an older generation", [{ ...holder, generationId: 3 }, other], ["cooperative"]],
    ["what two say that they hold", [holder, { ...other, ownedPartitions: named("orders-0") }], ["cooperative"]],
  ])("has nothing against %s", (_, members, protocols) => {
    expect(fixture(members, toOther, protocols).decide).not.toThrow();
  });

  test("has nothing against a cooperative assignor that takes a partition from one, for the next rebalance", () => {
    expect(fixture([holder, other], [], ["cooperative"]).decide).not.toThrow();
  });

  test("refuses a member that says of itself what no consumer does", () => {
    const members = [{ memberId: "a", groupInstanceId: null, metadata: Buffer.from([0, 3, 1]) }];
    expect(() => new GroupLeader({ name: "x", assign: () => [] }, members)).toThrow(DecodeError);
  });
});

describe("GroupLeader, watching the topics", () => {
  test("is informed where it is known of every topic what there is, or that there is nothing", () => {
    const { leader, cluster } = fixture([{ memberId: "a", topics: ["orders", "gone"] }]);
    const isInformed = () => leader.isInformed(cluster.metadata.snapshot);
    expect(isInformed()).toBe(false);
    cluster.metadata.retain(["orders", "gone"]);
    cluster.learn([topicLedBy("orders", [1]), topicAnswer("gone", [], { errorCode: 3 })]);
    expect(isInformed()).toBe(true);
  });

  test("finds a decision outdated when the number of partitions changes, of any topic", () => {
    const { decide, cluster, isOutdated } = fixture();
    decide();
    expect(isOutdated()).toBe(false);
    cluster.learn([topicLedBy("orders", [2, 1]), topicLedBy("refunds", [1])]);
    expect(isOutdated()).toBe(false);
    cluster.learn([topicLedBy("orders", [2, 1]), topicLedBy("refunds", [1, 2])]);
    expect(isOutdated()).toBe(true);
  });

  test("finds a decision outdated when a topic comes into being", () => {
    const { decide, cluster, isOutdated } = fixture([{ memberId: "a", topics: ["late"] }]);
    cluster.metadata.retain(["late"]);
    cluster.learn([topicAnswer("late", [], { errorCode: 3 })]);
    decide();
    expect(isOutdated()).toBe(false);
    cluster.learn([topicLedBy("late", [1])]);
    expect(isOutdated()).toBe(true);
  });

  test("finds a decision outdated when replicas are in other racks, where a member has one", () => {
    const { decide, cluster, isOutdated } = fixture([{ memberId: "a", rackId: "a" }]);
    racked(cluster, [1, 2]);
    decide();
    racked(cluster, [2, 1]);
    expect(isOutdated()).toBe(false);
    racked(cluster, [1, 3]);
    expect(isOutdated()).toBe(true);
  });

  test("does not care for racks where no member has one", () => {
    const { decide, cluster, isOutdated } = fixture([{ memberId: "a" }]);
    racked(cluster, [1, 2]);
    decide();
    racked(cluster, [1, 3]);
    expect(isOutdated()).toBe(false);
  });

  test("compares with what it first knew where it did not decide", () => {
    const { cluster, isOutdated } = fixture([{ memberId: "a", topics: ["orders", "late"] }]);
    expect(isOutdated()).toBe(false);
    cluster.metadata.retain(["orders", "late"]);
    cluster.learn([topicLedBy("orders", [1, 2]), topicLedBy("late", [1])]);
    expect(isOutdated()).toBe(false);
    cluster.learn([topicLedBy("orders", [1, 2]), topicLedBy("late", [1, 2])]);
    expect(isOutdated()).toBe(true);
  });

  test("does not take a topic that is not known for the moment for one that is gone", () => {
    const { decide, cluster, isOutdated } = fixture();
    decide();
    cluster.metadata.retain(["orders"]);
    cluster.learn([topicLedBy("orders", [1, 2])]);
    expect(isOutdated()).toBe(false);
  });
});
