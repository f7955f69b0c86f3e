import type { CompressionType } from "@odradek/protocol";
import { type SendDefaults, type SendSettings, sendSettingsOf } from "./send-settings.ts";
import { unusable } from "./unusable.ts";

/**
 * What `send` takes besides a record. Records that are sent with other settings do not share batches, and keep their order all the same:
 * a producer whose sends differ at every turn sends many small requests.
 */
export interface SendOptions {
  /**
   * Ends the wait of a record for its serializers, for metadata and for memory: it fails with code ABORTED, and is not in the log. A
   * record that was taken into a batch is past that.
   */
  readonly signal?: AbortSignal | undefined;
  /** Who must have the record. An idempotent producer takes `"all"` alone. @default the producer's */
  readonly acks?: "all" | -1 | 0 | 1 | undefined;
  /** What the record is compressed with, at the producer's level. @default the producer's */
  readonly compressionType?: CompressionType | undefined;
  /**
   * How long the leader of the partition may wait for the in-sync replicas, milliseconds; then it answers REQUEST_TIMED_OUT, and the
   * record is sent again. Where it is more than `requestTimeoutMs` the request has that much time. @default `requestTimeoutMs`
   */
  readonly ackTimeoutMs?: number | undefined;
}

/** The same, complete. */
export interface ResolvedSendOptions {
  readonly signal: AbortSignal | undefined;
  /** `null` for the producer's. */
  readonly settings: SendSettings | null;
}

const nothingAsked: ResolvedSendOptions = Object.freeze({ signal: undefined, settings: null });

/** @throws KafkaError with code OPTIONS for what cannot be used, such as a signal that is none: it would be waited for in vain */
export function resolveSendOptions(
  options: SendOptions | null | undefined,
  defaults: SendDefaults,
): ResolvedSendOptions {
  if (options === null || options === undefined) return nothingAsked;
  if (typeof options !== "object") throw unusable("options", options, "an object");
  requireKnown(options);
  const { signal } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw unusable("signal", signal, "an AbortSignal");
  return { signal, settings: sendSettingsOf(options, defaults) };
}

const names: ReadonlySet<string> = new Set(["ackTimeoutMs", "acks", "compressionType", "signal"]);

/** No reader of options, which would take longer than the rest of a send. */
function requireKnown(options: SendOptions): void {
  for (const name in options) {
    const value: unknown = Reflect.get(options, name);
    if (names.has(name) || (value ?? null) === null) continue;
    throw unusable(name, value, `one of the options ${[...names].join(", ")}`);
  }
}
