import { expect, test } from "vitest";
import { KafkaProducer } from "../src/producer.ts";
import { resolveProducerOptions } from "../src/producer-options.ts";
import { RoundRobinPartitioner } from "../src/round-robin-partitioner.ts";
import { clusterOf, topicOf } from "./cluster.ts";

const bootstrapServers = ["localhost:9092"];

test("a class of partitioners has each producer make its own", () => {
  const resolve = () => resolveProducerOptions({ bootstrapServers, partitioner: RoundRobinPartitioner }).partitioner;
  const [one, another] = [resolve(), resolve()];
  expect(one).toBeInstanceOf(RoundRobinPartitioner);
  expect(another).not.toBe(one);
});

test("a class that extends another is a class of partitioners too", () => {
  class Mine extends RoundRobinPartitioner {}
  expect(resolveProducerOptions({ bootstrapServers, partitioner: Mine }).partitioner).toBeInstanceOf(Mine);
});

test("a function stays one, old-fashioned ones with a prototype too", () => {
  const partitioner = () => 2;
  const { partitioner: resolved } = resolveProducerOptions({ bootstrapServers, partitioner });
  const record = { topic: "orders", key: null, value: null, keyBytes: null, valueBytes: null };
  const leaders = [1, 1, 1];
  expect(resolved?.partition(record, topicOf("orders", leaders), clusterOf({ orders: leaders }))).toBe(2);
});

test("the types take a class beside serializers", async () => {
  await new KafkaProducer({ bootstrapServers, partitioner: RoundRobinPartitioner }).close();
});
