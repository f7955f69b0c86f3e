import { ListPartitionReassignments } from "@odradek/protocol/messages/list-partition-reassignments";
import { handler } from "../request-context.ts";

/** A partition has moved as soon as it was told to: none is ever on its way. */
export const listPartitionReassignments = handler({
  api: ListPartitionReassignments,
  refuse: (errorCode) => ({ throttleTimeMs: 0, errorCode, errorMessage: null, topics: [] }),
  handle: () => ({ throttleTimeMs: 0, errorCode: 0, errorMessage: null, topics: [] }),
});
