import { codeOf } from "@odradek/protocol";
import { type CoordinatorType, coordinatorType } from "../coordinator-type.ts";
import type { RequestContext } from "../request-context.ts";
import { GroupError } from "./group-error.ts";

/** Why this broker does not answer for a group; 0 where it does. */
export function groupRefusal(groupId: string, context: RequestContext): number {
  if (groupId === "") return codeOf("INVALID_GROUP_ID");
  return notGroupCoordinator(groupId, context);
}

/** The same where a group without a name is meant too: it can hold offsets, and has no members. */
export function notGroupCoordinator(groupId: string, context: RequestContext): number {
  return notCoordinator(coordinatorType.group, groupId, context);
}

/** NOT_COORDINATOR where another broker answers for the key, else 0. */
export function notCoordinator(type: CoordinatorType, key: string, { cluster, broker }: RequestContext): number {
  return cluster.coordinatorOf(type, key)?.id === broker.id ? 0 : codeOf("NOT_COORDINATOR");
}

/** What `run` gives, or the code and the words of what it refuses. */
export function refusalOf(run: () => void): { readonly errorCode: number; readonly errorMessage: string | null } {
  try {
    run();
    return { errorCode: 0, errorMessage: null };
  } catch (error) {
    if (!(error instanceof GroupError)) throw error;
    return { errorCode: codeOf(error.code), errorMessage: error.message };
  }
}
