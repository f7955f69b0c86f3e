import { TimeoutError } from "odradek";
import { type ClientSettings, connectTimeoutMs, requestTimeoutMs } from "./client-options.ts";
import type { Instrumentation } from "./instrumentation.ts";

/** Has a client of the layer below connect, for so long or, as a producer, for as long as it blocks. */
type Connect = (options: { readonly timeoutMs: number }) => Promise<void>;

/** Nobody was heard of at the end, and nobody has refused. */
const isSilence = (error: unknown): boolean =>
  error instanceof TimeoutError && (error.cause === undefined || error.cause instanceof TimeoutError);

/**
 * Connects as kafkajs does. It gives a connection `connectionTimeout` until somebody takes it, and from then on each answer
 * `requestTimeout`: a broker that is busy, or stands still for a while, is waited for.
 *
 * @param instrumentation is told of the client's requests
 * @throws what the client throws
 */
export async function connectPatiently(
  connect: Connect,
  settings: Pick<ClientSettings, "config" | "retry">,
  instrumentation: Instrumentation,
): Promise<void> {
  const { clock } = instrumentation;
  let isTaken = false;
  const unwatch = instrumentation.watchRequests(() => {
    isTaken = true;
  });
  const patienceMs = requestTimeoutMs(settings.config);
  let timeoutMs = connectTimeoutMs(settings);
  let endsAtMs: number | null = null;
  try {
    for (;;) {
      try {
        await connect({ timeoutMs });
        return;
      } catch (error) {
        const nowMs = clock.now();
        endsAtMs ??= nowMs + patienceMs;
        if (!isTaken || !isSilence(error) || endsAtMs <= nowMs) throw error;
        timeoutMs = Math.ceil(endsAtMs - nowMs);
      }
    }
  } finally {
    unwatch();
  }
}
