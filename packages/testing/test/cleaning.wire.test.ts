import { afterAll, beforeAll, describe, test } from "vitest";
import { KafkaCluster } from "../src/index.ts";
import { cleaning } from "./behaviour/cleaning.ts";
import { RawKafka } from "./behaviour/raw-kafka.ts";

let cluster: KafkaCluster;
let kafka: RawKafka;

beforeAll(async () => {
  const soon = { logCleanerBackoffMs: 50, logRetentionCheckIntervalMs: 50, offsetsRetentionCheckIntervalMs: 50 };
  cluster = await KafkaCluster.start(soon);
  kafka = await RawKafka.connect(cluster.bootstrapServers);
});

afterAll(async () => {
  await kafka.close();
  await cluster.close();
});

// integration/test/cleaning.test.ts runs the same cases against Kafka.
describe("the cluster for tests", () => {
  test.each(cleaning)("$name", ({ run }) => run(kafka));
});
