import { KafkaError } from "@odradek/protocol";

/** An argument that nobody could do anything with. */
export const unusable = (what: string, value: unknown, allowed: string): KafkaError =>
  new KafkaError(`${what} ${String(value)}: ${allowed} is expected`, { code: "OPTIONS" });

export const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
export const countText = "a whole number of at least 0";
