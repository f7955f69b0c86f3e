import { expect, test } from "vitest";
import { partitionText } from "../src/topic-partition.ts";

test("a partition is written with its topic, as Kafka does", () => {
  expect(partitionText({ topic: "orders", partition: 3 })).toBe("orders-3");
});
