import { describe, expect, test } from "vitest";
import { type AssignorMember, serverAssignors } from "../src/groups/server-assignors.ts";

const topics = [
  { topicId: "A", name: "a", partitions: 3 },
  { topicId: "B", name: "b", partitions: 2 },
];
const member = (memberId: string, target: readonly string[] = [], topicIds = ["A", "B"]): AssignorMember => ({
  ...{ memberId, instanceId: null, topicIds: new Set(topicIds), target: new Set(target) },
});
const assigned = (name: string, members: readonly AssignorMember[]): Record<string, string[]> => {
  const assignment = serverAssignors.get(name)?.(members, topics) ?? new Map();
  return Object.fromEntries([...assignment].map(([id, keys]) => [id, [...keys].sort()]));
};

describe("uniform", () => {
  test("gives each as many as any other, and every partition to one", () => {
    const result = assigned("uniform", [member("m1"), member("m2")]);
    expect(Object.values(result).map(({ length }) => length)).toEqual([3, 2]);
    expect(Object.values(result).flat().sort()).toEqual(["A:0", "A:1", "A:2", "B:0", "B:1"]);
  });

  test("leaves with a member what it had, as far as that is fair", () => {
    const result = assigned("uniform", [member("m1", ["A:0", "A:1", "A:2", "B:0", "B:1"]), member("m2")]);
    expect(result).toEqual({ m1: ["A:0", "A:1", "A:2"], m2: ["B:0", "B:1"] });
  });

  test("gives nobody what it does not read, nor what is no more", () => {
    const result = assigned("uniform", [member("m1", ["A:7", "B:1"], ["B"]), member("m2", [], ["A"])]);
    expect(result).toEqual({ m1: ["B:0", "B:1"], m2: ["A:0", "A:1", "A:2"] });
  });
});

describe("range", () => {
  test("divides each topic by itself", () => {
    const result = assigned("range", [member("m2"), member("m1")]);
    expect(result).toEqual({ m1: ["A:0", "A:1", "B:0"], m2: ["A:2", "B:1"] });
  });
});
