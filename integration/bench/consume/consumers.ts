import type { Client } from "../field.ts";
import { loadKafkaJs } from "../kafkajs-library.ts";
import type { StartConsumer } from "./sink.ts";

/** A client is loaded where it is measured, and nowhere else, and before the time begins that counts. */
export const loadConsumer: Readonly<Record<Client, () => Promise<StartConsumer>>> = {
  odradek: async () => (await import("./odradek.ts")).startOdradek,
  kafkajs: () => loadKafkaJsConsumer("kafkajs"),
  platformatic: async () => (await import("./platformatic.ts")).loadPlatformatic(),
  confluent: async () => (await import("./confluent.ts")).startConfluent,
  "@odradek/kafkajs": () => loadKafkaJsConsumer("@odradek/kafkajs"),
};

async function loadKafkaJsConsumer(name: keyof typeof loadKafkaJs): Promise<StartConsumer> {
  return (await import("./kafkajs.ts")).startKafkaJs(await loadKafkaJs[name]());
}
