import type { Outcome } from "./outcome.ts";
import type { Target } from "./target.ts";

/** A peer's admin client, called as its own documentation does. */
export interface PeerAdmin {
  describe(topics: readonly string[]): Promise<Outcome["described"]>;
  /** The ends of all partitions of the topics. */
  offsets(topics: readonly string[], partitions: number): Promise<Outcome["listed"]>;
  close(): Promise<unknown>;
}

/** @returns a client that is connected */
export type OpenAdmin = (target: Target) => Promise<PeerAdmin>;

/** Clients for Node that have both calls. */
export const admins = ["odradek", "kafkajs"] as const;

export type AdminClient = (typeof admins)[number];

/** Loaded by name: a process has the one client that it measures. */
export const openAdmin: Readonly<Record<AdminClient, OpenAdmin>> = {
  odradek: async (target) => (await import("./odradek.ts")).openOdradek(target),
  kafkajs: async (target) => (await import("./kafkajs.ts")).openKafkaJs(target),
};
