import { KafkaJSNonRetriableError } from "../errors/errors.ts";

/**
 * @param noun what the array is of, for messages
 * @throws KafkaJSNonRetriableError for what is no array
 */
export function checkArray(given: unknown, noun: string): void {
  if (!Array.isArray(given)) throw new KafkaJSNonRetriableError(`Invalid ${noun} array ${String(given)}`);
}

/** @throws KafkaJSNonRetriableError for what is no topic */
export function checkTopic(topic: unknown): void {
  if (!topic || typeof topic !== "string") throw new KafkaJSNonRetriableError(`Invalid topic ${String(topic)}`);
}

/** @throws KafkaJSNonRetriableError for what is no array, and for topics that are not named, or twice */
export function checkTopics(topics: readonly { readonly topic: string }[], noun = "topics"): void {
  checkArray(topics, noun);
  if (topics.some(({ topic }) => typeof topic !== "string")) {
    throw new KafkaJSNonRetriableError(`Invalid ${noun} array, the topic names have to be a valid string`);
  }
  if (new Set(topics.map(({ topic }) => topic)).size < topics.length) {
    throw new KafkaJSNonRetriableError(`Invalid ${noun} array, it cannot have multiple entries for the same topic`);
  }
}
