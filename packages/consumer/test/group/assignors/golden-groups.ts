import { readFileSync } from "node:fs";
import type { AssignableTopics, MemberSubscription } from "../../../src/group/partition-assignor.ts";
import { member, partitionsOf, topicsOf } from "./group-text.ts";

export type AssignorName = "range" | "roundrobin" | "sticky" | "cooperative-sticky";

/** As golden/java/Assignments.java prints them. */
interface GoldenLine extends Readonly<Record<AssignorName, readonly string[]>> {
  readonly topics: Readonly<Record<string, string>>;
  readonly members: readonly {
    readonly memberId: string;
    readonly groupInstanceId?: string;
    readonly rackId?: string;
    readonly topics: string;
    readonly owned?: string;
    readonly generationId?: number;
    readonly userData?: string;
  }[];
}

export interface GoldenGroup {
  readonly topics: AssignableTopics;
  readonly members: readonly MemberSubscription[];
  /** What Kafka's assignor of this name gives to each member, by id. */
  kafkas(name: AssignorName): Record<string, string>;
}

export const goldenGroups: readonly GoldenGroup[] = readFileSync(
  new URL("golden/assignments.jsonl", import.meta.url),
  "utf8",
)
  .trim()
  .split("\n")
  .map((line): GoldenLine => JSON.parse(line))
  .map((line) => ({
    topics: topicsOf(line.topics),
    members: line.members.map(({ memberId, topics, owned = "", userData, ...rest }) =>
      member(memberId, topics === "" ? [] : topics.split(","), {
        ...rest,
        ownedPartitions: partitionsOf(owned),
        userData: userData === undefined ? null : Buffer.from(userData, "hex"),
      }),
    ),
    kafkas: (name) =>
      Object.fromEntries(line.members.map(({ memberId }, place) => [memberId, line[name][place] ?? ""])),
  }));
