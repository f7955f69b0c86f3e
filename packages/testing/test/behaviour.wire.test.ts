import { afterAll, beforeAll, describe, test } from "vitest";
import { KafkaCluster } from "../src/index.ts";
import { suite } from "./behaviour/index.ts";
import { RawKafka } from "./behaviour/raw-kafka.ts";

let cluster: KafkaCluster;
let kafka: RawKafka;

beforeAll(async () => {
  cluster = await KafkaCluster.start({ brokers: 3, consumerSessionTimeoutMs: 6_000 });
  kafka = await RawKafka.connect(cluster.bootstrapServers);
});

afterAll(async () => {
  await kafka.close();
  await cluster.close();
});

// integration/test/behaviour.test.ts runs the same cases against Kafka.
describe.each(Object.entries(suite))("%s", (_, cases) => {
  test.each(cases)("$name", ({ run }) => run(kafka));
});
