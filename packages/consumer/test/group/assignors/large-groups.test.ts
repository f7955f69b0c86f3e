import { describe, expect, test } from "vitest";
import { cooperativeStickyAssignor } from "../../../src/group/assignors/cooperative-sticky-assignor.ts";
import { rangeAssignor } from "../../../src/group/assignors/range-assignor.ts";
import { roundRobinAssignor } from "../../../src/group/assignors/round-robin-assignor.ts";
import { stickyAssignor } from "../../../src/group/assignors/sticky-assignor.ts";
import type { ConsumerPartitionAssignor, MemberSubscription } from "../../../src/group/partition-assignor.ts";
import { joinedAnew } from "./group-measures.ts";
import { member, topicsOf } from "./group-text.ts";

const names = Array.from({ length: 100 }, (_, index) => `t${index}`);
const topics = topicsOf(Object.fromEntries(names.map((name) => [name, 100])));
const ids = Array.from({ length: 1_000 }, (_, index) => `m${index}`).sort();

const kinds: Readonly<Record<string, (index: number) => string[]>> = {
  "the same topics": () => names,
  "different topics": (index) => names.filter((_, number) => (number + index) % 4 !== 0),
};

/** Milliseconds of work until a group of these has its partitions, and has them again without one member in ten. */
function workOf(assignor: ConsumerPartitionAssignor, members: readonly MemberSubscription[]): number {
  const before = process.cpuUsage();
  const first = assignor.assign(topics, members);
  const staying = joinedAnew(assignor, members, first, 1).filter((_, index) => index % 10 !== 0);
  const next = assignor.assign(topics, staying);
  expect(next.reduce((sum, { partitions }) => sum + partitions.length, 0)).toBe(10_000);
  return process.cpuUsage(before).user / 1_000;
}

describe.each(Object.entries(kinds))("a thousand members of %s, with ten thousand partitions", (_, topicsFor) => {
  test.each([rangeAssignor, roundRobinAssignor, stickyAssignor, cooperativeStickyAssignor])(
    "have them from $name without a step for each pair of the two",
    (assignor) => {
      const members = ids.map((id, index) => member(id, topicsFor(index)));
      // It takes less than one second of work. A step for each partition and member, ten million of them, would take minutes.
      expect(workOf(assignor, members)).toBeLessThan(10_000);
    },
  );
});
