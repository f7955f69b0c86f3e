import { DeleteGroups } from "@odradek/protocol/messages/delete-groups";
import { notGroupCoordinator, refusalOf } from "../groups/coordination.ts";
import { handler } from "../request-context.ts";

export const deleteGroups = handler({
  api: DeleteGroups,
  refuse: (errorCode, { groupsNames }) => ({
    throttleTimeMs: 0,
    results: groupsNames.map((groupId) => ({ groupId, errorCode })),
  }),
  handle: ({ groupsNames }, context) => ({
    throttleTimeMs: 0,
    results: groupsNames.map((groupId) => ({
      groupId,
      errorCode:
        notGroupCoordinator(groupId, context) || refusalOf(() => context.cluster.groups.delete(groupId)).errorCode,
    })),
  }),
});
