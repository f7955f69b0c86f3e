import { ListGroups } from "@odradek/protocol/messages/list-groups";
import { coordinatorType } from "../coordinator-type.ts";
import { ClassicGroup } from "../groups/classic-group.ts";
import { notCoordinator } from "../groups/coordination.ts";
import type { Group } from "../groups/group-coordinator.ts";
import { handler } from "../request-context.ts";

export const listGroups = handler({
  api: ListGroups,
  refuse: (errorCode) => ({ throttleTimeMs: 0, errorCode, groups: [] }),
  handle: ({ statesFilter, typesFilter }, context) => {
    const isAmong = (filter: readonly string[], value: string) =>
      filter.length === 0 || filter.some((wanted) => wanted.toLowerCase() === value.toLowerCase());
    const groups = context.cluster.groups
      .all()
      .filter(({ groupId }) => notCoordinator(coordinatorType.group, groupId, context) === 0)
      .map(listed)
      .filter(({ groupState, groupType }) => isAmong(statesFilter, groupState) && isAmong(typesFilter, groupType));
    return { throttleTimeMs: 0, errorCode: 0, groups };
  },
});

function listed({ groupId, membership }: Group) {
  const isClassic = membership instanceof ClassicGroup;
  return {
    groupId,
    protocolType: isClassic ? membership.protocolType : "consumer",
    groupState: membership.state,
    groupType: isClassic ? "classic" : "consumer",
  };
}
