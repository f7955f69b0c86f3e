import { assignConstrained } from "./constrained.ts";
import { assignGenerally } from "./general.ts";
import type { StickyGroup } from "./sticky-group.ts";

/** Gives every partition of the group a reader, in the way that its subscriptions allow. Source: Kafka's `AbstractStickyAssignor`. */
export function distribute(group: StickyGroup): void {
  if (group.isUniform) assignConstrained(group);
  else assignGenerally(group);
}
