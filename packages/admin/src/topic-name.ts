import { OptionReader, OptionsError } from "@odradek/network";
import { zeroUuid } from "@odradek/protocol";
import { checkedKeys, isText } from "./asking/arguments.ts";

/** A topic by its name, or by its id, which stays its own when another one of the same name takes its place (KIP-516). */
export type TopicName = string | { readonly topicId: string };

export const textOfTopic = (topic: TopicName): string => (typeof topic === "string" ? topic : topic.topicId);

/** 16 bytes in base64url. */
const idPattern = /^[\w-]{22}$/;

const isTopicId = (value: unknown): value is string =>
  typeof value === "string" && idPattern.test(value) && value !== zeroUuid;

/** @throws OptionsError naming which of them is none, and what is allowed */
export function checkedTopicNames(given: readonly TopicName[]): readonly TopicName[] {
  return checkedKeys("topics", given, checkedTopicName, textOfTopic);
}

function checkedTopicName(given: TopicName, path: string): TopicName {
  if (isText(given)) return given;
  if (typeof given !== "object")
    throw new OptionsError(path, given, "the name of a topic, or an object with its topicId,");
  const reader = new OptionReader(given, path);
  return {
    topicId: reader.required("topicId", isTopicId, "a UUID of 22 characters of base64url, and not the one of zeros,"),
  };
}
