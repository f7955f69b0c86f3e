import { type BrokerErrorName, codeOf } from "@odradek/protocol";

/** The code of an error; clients from before PRODUCER_FENCED are told of INVALID_PRODUCER_EPOCH. */
export const fencedCode = (error: BrokerErrorName | null, knowsFenced: boolean): number =>
  error === null ? 0 : codeOf(error === "PRODUCER_FENCED" && !knowsFenced ? "INVALID_PRODUCER_EPOCH" : error);
