import type { Client } from "../field.ts";
import type { PeerProducer } from "./load.ts";
import type { Target } from "./target.ts";

/** A client is loaded where it is measured, and nowhere else. `null` stands for what it cannot do. */
export const openProducer: Readonly<Record<Client, (target: Target) => Promise<PeerProducer | null>>> = {
  odradek: async (target) => (await import("./odradek.ts")).odradekProducer(target),
  kafkajs: async (target) => (await import("./kafkajs.ts")).kafkaJsProducer(target),
  platformatic: async (target) => (await import("./platformatic.ts")).platformaticProducer(target),
  confluent: async (target) => (await import("./confluent.ts")).confluentProducer(target),
};
