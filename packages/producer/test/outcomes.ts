import { type BrokerErrorName, codeOf } from "@odradek/protocol";
import type { DeliveryError } from "../src/delivery-error.ts";
import type { RecordMetadata } from "../src/record-metadata.ts";
import { TransactionError } from "../src/transaction-error.ts";
import type { ProduceCall } from "./scripted-broker.ts";

/** What a record came to, in words. */
export const outcomeOf = (sent: Promise<RecordMetadata>): Promise<string> =>
  sent.then(
    ({ offset }) => `@${offset}`,
    (error: DeliveryError) => `${error.code}, ${error.persisted}`,
  );

/** What a transactional call came to, in words. */
export const endOf = (call: Promise<void>): Promise<string> =>
  call.then(
    () => "done",
    (error: unknown) => {
      if (!(error instanceof TransactionError)) return String(error);
      return `${error.code}, ${error.abortable ? "abortable" : "fatal"}`;
    },
  );

/** Has a broker take a batch. */
export const good = (call: ProduceCall, baseOffset = 0n) => call.answer(() => ({ baseOffset }));

/** Has a broker refuse a batch. */
export const bad = (call: ProduceCall, name: BrokerErrorName, logStartOffset = -1n) =>
  call.answer(() => ({ errorCode: codeOf(name), logStartOffset }));
