import { afterAll, beforeAll, describe, test } from "vitest";
import { cleaning } from "../../packages/testing/test/behaviour/cleaning.ts";
import { RawKafka } from "../../packages/testing/test/behaviour/raw-kafka.ts";
import { type KafkaCluster, startCluster } from "../cluster/cluster.ts";

let cluster: KafkaCluster;
let kafka: RawKafka;

beforeAll(async () => {
  // Where Kafka comes to it soon: it would look for old segments every five minutes.
  const properties = {
    "log.initial.task.delay.ms": "500",
    "log.retention.check.interval.ms": "500",
    "log.cleaner.backoff.ms": "500",
    "offsets.retention.check.interval.ms": "500",
  };
  cluster = await startCluster({ brokers: 1, properties });
  kafka = await RawKafka.connect(cluster.bootstrapServers);
});

afterAll(async () => {
  await kafka?.close();
  await cluster?.stop();
});

// packages/testing/test/cleaning.wire.test.ts runs the same cases against the cluster for tests.
describe("Kafka", () => {
  test.each(cleaning)("$name", ({ run }) => run(kafka));
});
