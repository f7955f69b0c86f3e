import { TimeoutError } from "odradek";
import { translated } from "../errors/error-translation.ts";
import { KafkaJSProtocolError } from "../errors/errors.ts";

/** What a broker answered, in kafkajs' words; `null` where none did, or only answers came after which it was asked again in vain. */
export function brokerAnswer(error: unknown): KafkaJSProtocolError | null {
  if (error instanceof TimeoutError) return null;
  const answer = translated(error);
  return answer instanceof KafkaJSProtocolError ? answer : null;
}
