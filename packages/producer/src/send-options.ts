import { unusable } from "./unusable.ts";

/** What `send` takes besides a record. */
export interface SendOptions {
  /**
   * Ends the wait of a record for its serializers, for metadata and for memory: it fails with code ABORTED, and is not in the log. A
   * record that was taken into a batch is past that.
   */
  readonly signal?: AbortSignal | undefined;
}

/** @throws KafkaError with code OPTIONS where the signal is none, since it would else be waited for in vain */
export function signalOf(options: SendOptions | null | undefined): AbortSignal | undefined {
  const signal = options?.signal;
  if (signal === undefined || signal instanceof AbortSignal) return signal;
  throw unusable("signal", signal, "an AbortSignal");
}
