import { afterAll, beforeAll, expect, test } from "vitest";
import { type KafkaCluster, startCluster } from "../cluster/cluster.ts";
import { Faults, planFaults } from "./faults.ts";
import { allIsWell, judge } from "./judgement.ts";
import { readLog } from "./log.ts";
import { newName } from "./opened.ts";
import { Random } from "./random.ts";
import { Writer } from "./writer.ts";

let cluster: KafkaCluster;
beforeAll(async () => {
  // The others take over from a broker that is silent for this long.
  cluster = await startCluster({ own: true, properties: { "broker.session.timeout.ms": "3000" } });
});
afterAll(() => cluster?.stop());

const leastCount = 100_000;
const replicas = [
  [1, 2, 3],
  [2, 3, 1],
  [3, 1, 2],
  [1, 3, 2],
  [2, 1, 3],
  [3, 2, 1],
];

test("of 100,000 records none is lost, there twice or out of order, while brokers die, freeze and hand over", async () => {
  const random = Random.ofRun();
  const plan = planFaults(random, cluster.brokers.length);
  const topic = newName();
  await cluster.createTopic({ name: topic, replicas });
  const shared = { topic, partitionCount: replicas.length };
  const patience = { bootstrapServers: cluster.bootstrapServers, requestTimeoutMs: 2_000, reconnectBackoffMaxMs: 500 };
  await using patient = new Writer({
    ...shared,
    name: "patient",
    burst: 18,
    // Small batches, so that several of a partition are under way.
    producer: { ...patience, batchSize: 1_000, lingerMs: 1 },
  });
  // Gives up before others take over from a broker.
  await using impatient = new Writer({
    ...shared,
    name: "impatient",
    burst: 2,
    producer: { ...patience, lingerMs: 1, deliveryTimeoutMs: 2_100 },
  });
  const writers = [patient, impatient];
  const faults = new Faults(cluster, [topic]);
  const everybodyFlows = () => Promise.all(writers.map((writer) => writer.flows()));

  await everybodyFlows();
  for (const fault of plan) {
    await faults.inflict(fault);
    await everybodyFlows();
    await faults.move();
  }
  await Promise.all([patient.finish(leastCount), impatient.finish()]);

  const sent = writers.flatMap((writer) => writer.records());
  const log = await readLog(topic, { ...shared, bootstrapServers: cluster.bootstrapServers });
  expect(judge(sent, log), `with seed ${random.seed}`).toEqual(allIsWell);
  expect(patient.count).toBeGreaterThanOrEqual(leastCount);
  expect(patient.failures).toEqual([]);
  // Else nobody would have looked at what is told of records that fail.
  expect(impatient.failures.length).toBeGreaterThan(0);
  const told = (["no", "maybe", "yes"] as const).map(
    (persisted) => `${impatient.failures.filter((error) => error.persisted === persisted).length} ${persisted}`,
  );
  console.log(`seed ${random.seed}: ${sent.length} records, ${plan.length} faults; given up: ${told.join(", ")}`);
}, 600_000);
