import { codeOf } from "@odradek/protocol";
import { OffsetDelete } from "@odradek/protocol/messages/offset-delete";
import { groupRefusal } from "../groups/coordination.ts";
import { handler } from "../request-context.ts";

export const offsetDelete = handler({
  api: OffsetDelete,
  refuse: (errorCode) => ({ throttleTimeMs: 0, errorCode, topics: [] }),
  handle: ({ groupId, topics }, context) => {
    const refused = (errorCode: number) => ({ throttleTimeMs: 0, errorCode, topics: [] });
    const errorCode = groupRefusal(groupId, context);
    if (errorCode !== 0) return refused(errorCode);
    const group = context.cluster.groups.get(groupId);
    if (group === undefined) return refused(codeOf("GROUP_ID_NOT_FOUND"));
    if (topics.some(({ name }) => group.membership.isSubscribedTo(name) === null)) {
      return refused(codeOf("NON_EMPTY_GROUP"));
    }
    return {
      throttleTimeMs: 0,
      errorCode: 0,
      topics: topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => {
          if (context.cluster.topics.partition(name, partitionIndex) === undefined) {
            return { partitionIndex, errorCode: codeOf("UNKNOWN_TOPIC_OR_PARTITION") };
          }
          if (group.membership.isSubscribedTo(name)) {
            return { partitionIndex, errorCode: codeOf("GROUP_SUBSCRIBED_TO_TOPIC") };
          }
          group.offsets.delete(name, partitionIndex);
          return { partitionIndex, errorCode: 0 };
        }),
      })),
    };
  },
});
