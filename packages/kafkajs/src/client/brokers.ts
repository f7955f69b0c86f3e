import { KafkaJSConnectionError } from "../errors/connection-errors.ts";
import { KafkaJSNonRetriableError } from "../errors/errors.ts";

/** Asked each time that a client connects. */
export type BrokersFunction = () => string[] | Promise<string[]>;

/**
 * Where a client connects to first, as `host:port`.
 *
 * @throws KafkaJSNonRetriableError for what is no list of brokers, KafkaJSConnectionError where the function throws
 */
export async function brokersOf(given: unknown): Promise<readonly string[]> {
  const brokers = typeof given === "function" ? await call(given) : given;
  if ((brokers ?? null) === null) throw new KafkaJSNonRetriableError("Failed to connect: brokers should not be null");
  if (!Array.isArray(brokers)) throw new KafkaJSNonRetriableError("Failed to connect: brokers should be an array");
  if (brokers.length === 0) throw new KafkaJSNonRetriableError("Failed to connect: brokers array is empty");
  const wrong = brokers.findIndex((broker: unknown) => typeof broker !== "string" || broker === "");
  if (wrong >= 0) {
    throw new KafkaJSNonRetriableError(
      `Failed to connect: broker at index ${wrong} is invalid "${typeof brokers[wrong]}"`,
    );
  }
  return brokers.filter((broker: unknown) => typeof broker === "string");
}

// biome-ignore lint/complexity/noBannedTypes: whatever the user gave that can be called
async function call(brokers: Function): Promise<unknown> {
  try {
    return await Reflect.apply(brokers, undefined, []);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new KafkaJSConnectionError(`Failed to connect: "config.brokers" threw: ${reason}`);
  }
}
