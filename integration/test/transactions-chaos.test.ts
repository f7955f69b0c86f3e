import { FindCoordinator } from "@odradek/protocol/messages/find-coordinator";
import { KafkaProducer } from "odradek";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type KafkaCluster, startCluster } from "../cluster/cluster.ts";
import { until } from "../cluster/readiness.ts";
import type { KafkaVersion } from "../cluster/versions.ts";
import { ask } from "../cluster/wire.ts";
import { committedOffset } from "./committed-offset.ts";
import { type Fault, Faults } from "./faults.ts";
import { allIsWell, judge } from "./judgement.ts";
import { readLog } from "./log.ts";
import { newName, opened } from "./opened.ts";
import { moveLeaders } from "./partitions.ts";
import { Random } from "./random.ts";
import { TransactionalWriter } from "./transactional-writer.ts";
import { Zombie } from "./zombie.ts";

/** Where coordinators keep what they know. */
const transactionLog = "__transaction_state";
/** Where those of groups do. */
const groupLog = "__consumer_offsets";
const replicas = [
  [1, 2, 3],
  [2, 3, 1],
  [3, 1, 2],
];
const partitionCount = replicas.length;

interface Generation {
  /** How Kafka calls it, and the release that has it. */
  readonly name: string;
  readonly version: KafkaVersion;
  /** What happens to coordinators, and to any broker, while transactions go on. */
  readonly ofCoordinators: readonly Fault[];
  readonly ofOthers: readonly Fault[];
  /** What happens to a coordinator while a process is frozen whose id another takes; `null`: nothing, `moved`: another is. */
  readonly ofZombies: readonly (Fault | "moved" | null)[];
}

const generations: readonly Generation[] = [
  {
    name: "transaction version 2",
    version: "4.3.1",
    ofCoordinators: ["killed", "killedAndBackAtOnce", "frozen", "stalled"],
    ofOthers: ["stopped"],
    ofZombies: [null, "moved", "killed", "frozen"],
  },
  {
    name: "transaction version 1",
    version: "3.9.2",
    ofCoordinators: ["killed", "frozen"],
    ofOthers: [],
    ofZombies: ["moved", "killed"],
  },
];

let cluster: KafkaCluster;

/** Less than brokers are away, so that requests time out. */
const patience = () => ({
  bootstrapServers: cluster.bootstrapServers,
  requestTimeoutMs: 2_000,
  reconnectBackoffMaxMs: 500,
});

async function newTopic(): Promise<string> {
  const topic = newName();
  await cluster.createTopic({ name: topic, replicas });
  return topic;
}

/** @returns its place in the list of brokers */
async function coordinatorOf(transactionalId: string): Promise<number> {
  let index = -1;
  await until(`${transactionalId} has a coordinator`, async () => {
    const body = { keyType: 1, coordinatorKeys: [transactionalId] };
    const { coordinators } = await ask(cluster.brokers[0]!, FindCoordinator, body);
    index = cluster.brokers.findIndex(({ id }) => id === coordinators[0]?.nodeId);
    return index >= 0 || `error ${coordinators[0]?.errorCode}`;
  });
  return index;
}

const logOf = (topic: string, isolationLevel: "read_committed" | "read_uncommitted" = "read_committed") =>
  readLog(topic, { bootstrapServers: cluster.bootstrapServers, partitionCount, isolationLevel });

describe.each(generations)("$name, on $version", ({ version, ofCoordinators, ofOthers, ofZombies }) => {
  beforeAll(async () => {
    cluster = await startCluster({ own: true, version, properties: { "broker.session.timeout.ms": "3000" } });
  });
  afterAll(() => cluster?.stop());

  test("transactions count whole or not at all, as was told, while brokers die and freeze and coordinators move", async () => {
    const random = Random.ofRun();
    const topic = await newTopic();
    const writers = Array.from({ length: 3 }, (_, index) => {
      const [transactionalId, groupId] = [newName(), newName()];
      const client = patience();
      const writer = new TransactionalWriter({
        transactionalId,
        name: transactionalId,
        groupId,
        topic,
        partitionCount,
        client,
        random: new Random(random.seed + index),
      });
      opened.push(writer);
      return { writer, transactionalId, groupId };
    });
    const everybodyCommits = () => Promise.all(writers.map(({ writer }) => writer.commits()));
    await everybodyCommits();

    const faults = new Faults(cluster, [topic, transactionLog]);
    const coordinator = () => coordinatorOf(writers[random.below(writers.length)]!.transactionalId);
    const plan = random.shuffled([
      ...ofCoordinators.map((fault) => async () => faults.inflict({ fault, index: await coordinator() })),
      ...ofOthers.map((fault) => () => faults.inflict({ fault, index: random.below(cluster.brokers.length) })),
      ...[transactionLog, topic, groupLog].map((moved) => () => faults.move([moved])),
    ]);
    for (const inflict of plan) {
      await inflict();
      await everybodyCommits();
    }
    for (const { writer } of writers) await writer.finish();

    const sent = writers.flatMap(({ writer }) => writer.records());
    const [visible, all] = [await logOf(topic), await logOf(topic, "read_uncommitted")];
    expect(judge(sent, visible), `with seed ${random.seed}`).toEqual(allIsWell);
    for (const { writer, groupId } of writers) {
      expect(writer.possibleOffsets()).toContain(await committedOffset(cluster.bootstrapServers, groupId, topic));
      expect(writer.failures).toEqual([]);
      for (const fate of ["present", "absent", "either"] as const) expect(writer.count(fate)).toBeGreaterThan(0);
    }
    // Else there was nothing to be left out.
    const aborted = new Set(sent.filter(({ fate }) => fate === "absent").map(({ value }) => value));
    expect(all.flat().some(({ value }) => aborted.has(value ?? ""))).toBe(true);
    const counts = (["present", "absent", "either"] as const).map(
      (fate) => `${writers.reduce((sum, { writer }) => sum + writer.count(fate), 0)} ${fate}`,
    );
    console.log(
      `seed ${random.seed}: ${sent.length} records, ${plan.length} faults; transactions: ${counts.join(", ")}`,
    );
  }, 600_000);

  describe("in the middle of a transaction the leaders of its partitions, its coordinator and that of its group move", () => {
    test.each([
      ["commitTransaction", 6, 7n],
      ["abortTransaction", 0, -1n],
    ] as const)("before %s", async (end, visibleCount, offset) => {
      const [topic, groupId] = [await newTopic(), newName()];
      const producer = new KafkaProducer({ ...patience(), transactionalId: newName() });
      opened.push(producer);
      await producer.initTransactions();
      const sendBatch = (round: string) =>
        producer.sendBatch(replicas.map((_, partition) => ({ topic, partition, value: `${round}-${partition}` })));
      producer.beginTransaction();
      await sendBatch("before");
      await producer.sendOffsetsToTransaction([{ topic, partition: 0, offset: 7 }], groupId);
      for (const moved of [topic, transactionLog, groupLog]) await moveLeaders(cluster.brokers, moved);
      await sendBatch("after");
      await producer[end]();
      expect((await logOf(topic)).flat()).toHaveLength(visibleCount);
      expect((await logOf(topic, "read_uncommitted")).flat()).toHaveLength(6);
      expect(await committedOffset(cluster.bootstrapServers, groupId, topic)).toBe(offset);
      await producer.transaction(() => sendBatch("next"));
      expect((await logOf(topic)).flat()).toHaveLength(visibleCount + 3);
    });
  });

  test("a process that comes back when another has its id is fenced, and changes nothing, while coordinators die and move", async () => {
    const [topic, transactionalId] = [await newTopic(), newName()];
    const faults = new Faults(cluster, [topic, transactionLog]);
    const random = Random.ofRun();
    const shared = { topic, partitionCount, transactionalId, client: patience() };
    const sent = [];
    for (const [round, fault] of ofZombies.entries()) {
      using zombie = new Zombie({ ...shared, name: `zombie-${round}` });
      await zombie.works();
      zombie.freeze();
      const harmed =
        fault === null
          ? null
          : fault === "moved"
            ? faults.move()
            : faults.inflict({ fault, index: await coordinatorOf(transactionalId) });
      await using successor = new TransactionalWriter({
        ...shared,
        name: `successor-${round}`,
        groupId: newName(),
        random,
      });
      await successor.commits();
      const told = await zombie.thaw();
      expect(told.at(-1)).toMatch(/^(PRODUCER_FENCED|INVALID_PRODUCER_EPOCH)$/);
      await Promise.all([harmed, successor.commits()]);
      await successor.finish();
      expect(successor.failures).toEqual([]);
      sent.push(...zombie.records(), ...successor.records());
    }
    expect(judge(sent, await logOf(topic)), `with seed ${random.seed}`).toEqual(allIsWell);
  }, 600_000);
});
