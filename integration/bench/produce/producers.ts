import type { Client } from "../field.ts";
import { loadKafkaJs } from "../kafkajs-library.ts";
import type { PeerProducer } from "./load.ts";
import type { Target } from "./target.ts";

/** A client is loaded where it is measured, and nowhere else. `null` stands for what it cannot do. */
export const openProducer: Readonly<Record<Client, (target: Target) => Promise<PeerProducer | null>>> = {
  odradek: async (target) => (await import("./odradek.ts")).odradekProducer(target),
  kafkajs: (target) => openKafkaJs("kafkajs", target),
  platformatic: async (target) => (await import("./platformatic.ts")).platformaticProducer(target),
  confluent: async (target) => (await import("./confluent.ts")).confluentProducer(target),
  "@odradek/kafkajs": (target) => openKafkaJs("@odradek/kafkajs", target),
};

async function openKafkaJs(name: keyof typeof loadKafkaJs, target: Target): Promise<PeerProducer | null> {
  return (await import("./kafkajs.ts")).kafkaJsProducer(await loadKafkaJs[name](), target);
}
