import { type ConsumerGroupMetadata, OptionReader } from "@odradek/network";

/** Who a consumer is in its group, complete. */
export type ResolvedGroupMetadata = Required<ConsumerGroupMetadata>;

/** @throws OptionsError for what names no group */
export function resolveGroupMetadata(given: unknown): ResolvedGroupMetadata {
  const reader = new OptionReader(typeof given === "string" ? { groupId: given } : given, "groupMetadata");
  const resolved = {
    groupId: reader.required("groupId", isText, "the id of a group"),
    generationId: reader.integer("generationId", -1, -1),
    memberId: reader.value("memberId", "", isMemberId, "the id of a member, or an empty text"),
    groupInstanceId: reader.string("groupInstanceId", null),
  };
  reader.finish();
  return Object.freeze(resolved);
}

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";
const isMemberId = (value: unknown): value is string => typeof value === "string";
