import { KafkaError } from "@odradek/protocol";

const namePattern = /^[a-zA-Z0-9._-]{1,249}$/;

/** Whether a topic can have this name. Source: Kafka's `Topic.validate`. */
const isTopicName = (name: unknown): name is string =>
  typeof name === "string" && namePattern.test(name) && name !== "." && name !== "..";

/** Whether brokers can be asked about it: what they make of it is for them to say. */
export const isEncodableName = (name: unknown): name is string =>
  typeof name === "string" && Buffer.byteLength(name) <= 0x7fff && !/\p{Surrogate}/u.test(name);

/**
 * Tells at once what a broker would say, or could not even be asked.
 *
 * @throws KafkaError with code INVALID_TOPIC_EXCEPTION for what no topic can be called
 */
export function checkTopicName(name: unknown): void {
  if (isTopicName(name)) return;
  const allowed = '1 to 249 characters of a-z, A-Z, 0-9, ".", "_" and "-" are expected, and neither "." nor ".."';
  throw new KafkaError(`topic ${shown(name)}: ${allowed}`, { code: "INVALID_TOPIC_EXCEPTION" });
}

function shown(name: unknown): string {
  if (typeof name !== "string") return `of type ${typeof name}`;
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);
}
