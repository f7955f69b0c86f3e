import fc from "fast-check";
import type { AssignableTopics, MemberSubscription } from "../../../src/group/partition-assignor.ts";
import { member, topicsOf } from "./group-text.ts";

export interface Group {
  readonly topics: AssignableTopics;
  /** At least two. */
  readonly members: readonly MemberSubscription[];
}

export interface GroupKind {
  readonly name: string;
  /** All members subscribe to all topics. */
  readonly isUniform: boolean;
  readonly hasRacks: boolean;
}

export const groupKinds: readonly GroupKind[] = [
  { name: "the same topics", isUniform: true, hasRacks: false },
  { name: "the same topics, in racks", isUniform: true, hasRacks: true },
  { name: "different topics", isUniform: false, hasRacks: false },
  { name: "different topics, in racks", isUniform: false, hasRacks: true },
];

const racks = ["a", "b", "c"];

export function groupArbitrary({ isUniform, hasRacks }: GroupKind): fc.Arbitrary<Group> {
  const partition = hasRacks ? fc.subarray(racks).map((some) => some.join("")) : fc.constant("");
  const topics = fc
    .array(fc.array(partition, { minLength: 1, maxLength: 9 }), { minLength: 1, maxLength: 5 })
    .map((all) => topicsOf(Object.fromEntries(all.map((partitions, place) => [`t${place}`, partitions.join()]))));
  return topics.chain((of) =>
    fc
      .uniqueArray(memberArbitrary([...of.keys()], isUniform, hasRacks), {
        selector: ({ memberId }) => memberId,
        minLength: 2,
        maxLength: 8,
      })
      .map((members) => ({ topics: of, members })),
  );
}

function memberArbitrary(topics: string[], isUniform: boolean, hasRacks: boolean): fc.Arbitrary<MemberSubscription> {
  return fc
    .record({
      memberId: fc.integer({ min: 0, max: 99 }),
      subscribed: isUniform ? fc.constant(topics) : fc.subarray(topics),
      rackId: hasRacks ? fc.option(fc.constantFrom("", "d", ...racks)) : fc.constant(null),
    })
    .map(({ memberId, subscribed, rackId }) => member(`m${memberId}`, subscribed, { rackId }));
}
