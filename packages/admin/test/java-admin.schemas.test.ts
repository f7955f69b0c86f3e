import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { kafkaClientsJar } from "../../protocol/test/schema/kafka-schemas.ts";
import { readZip } from "../../protocol/test/schema/zip.ts";
import { KafkaAdmin } from "../src/index.ts";
import { methodNames } from "./class-file.ts";

const adminClass = "org/apache/kafka/clients/admin/Admin.class";

/** Methods of Java's that go by another name here, or are not there at all. */
const otherwise: ReadonlyMap<string, string> = new Map([
  ["create", "the constructor"],
  ["listConsumerGroups", "deprecated there: listGroups with types, or protocolTypes"],
  ["listClientMetricsResources", "deprecated there: listConfigResources with CLIENT_METRICS"],
  ["clientInstanceId", "telemetry that is pushed to brokers (KIP-714), which no client here does"],
  ["registerMetricForSubscription", "the same"],
  ["unregisterMetricFromSubscription", "the same"],
]);

/** What is ours alone. */
const oursAlone = ["alterConfigs", "connect", "constructor", "lag"];

test("every method of Java's Admin 4.4.0 is there, and none besides but those that are known to be", () => {
  const file = readZip(readFileSync(kafkaClientsJar("4.4.0")), (name) => name === adminClass).get(adminClass);
  if (file === undefined) throw new Error(`the jar has no ${adminClass}`);
  const javas = methodNames(file);
  expect(javas.size).toBeGreaterThan(60);
  const ours = new Set(Object.getOwnPropertyNames(KafkaAdmin.prototype));
  const missing = [...javas].filter((name) => !ours.has(name)).sort();
  expect(missing).toEqual([...otherwise.keys()].sort());
  expect([...ours].filter((name) => !javas.has(name)).sort()).toEqual(oursAlone);
});
