import { type OptionReader, OptionsError } from "@odradek/network";
import { cooperativeStickyAssignor } from "./assignors/cooperative-sticky-assignor.ts";
import { rangeAssignor } from "./assignors/range-assignor.ts";
import { roundRobinAssignor } from "./assignors/round-robin-assignor.ts";
import { stickyAssignor } from "./assignors/sticky-assignor.ts";
import { commonProtocol } from "./partition-assignor.ts";
import type { AnyPartitionAssignor } from "./raw-partition-assignor.ts";

/** The assignors that come with Odradek, by Kafka's names. */
export type AssignorName = "range" | "roundrobin" | "sticky" | "cooperative-sticky";

const groupProtocols = ["classic", "consumer"] as const;

/** Kafka's names of the protocols that groups speak. */
export type GroupProtocol = (typeof groupProtocols)[number];

/** What concerns a consumer as the member of a group. Names, meaning and defaults are those of Kafka's Java client. */
export interface GroupOptions {
  /**
   * The group that this consumer belongs to. Its members divide the partitions of what they subscribe to, and the group's
   * committed offsets say where each goes on. Without one a consumer chooses its partitions itself, by `assign`, and commits
   * nothing. @default none
   */
  readonly groupId?: string;
  /**
   * A name that this consumer keeps over restarts (KIP-345). A member that has one gets its partitions back, without a rebalance,
   * when it returns before its session is over; it does not leave its group on `close`. No two may have the same at a time: the polls of
   * one of them throw a BrokerError with code FENCED_INSTANCE_ID, or UNRELEASED_INSTANCE_ID with groupProtocol `consumer`.
   * @default none
   */
  readonly groupInstanceId?: string;
  /**
   * How the members of the group come to an agreement: `classic`, among themselves, or `consumer`, where the coordinator decides
   * and nobody waits for the others (KIP-848, Kafka 4.0 and newer). A group can go from one to the other while it runs, member by
   * member. @default "classic"
   */
  readonly groupProtocol?: GroupProtocol;
  /** How the coordinator divides partitions, `uniform` or `range`; only with groupProtocol `consumer`. @default as the broker says */
  readonly groupRemoteAssignor?: string;
  /**
   * How the group divides partitions, the best liked first. All members must have one in common. A group gives up partitions
   * one by one where all of its assignors can (`cooperative-sticky`), and all at once where one cannot; so a running group goes
   * from one to the other in two steps: with the default list, then with `["cooperative-sticky"]` alone (KIP-429).
   * @default ["range", "cooperative-sticky"]
   */
  readonly partitionAssignmentStrategy?: readonly (AssignorName | AnyPartitionAssignor)[];
  /** Without a heartbeat for so long a member is dead for its group, milliseconds. Brokers allow 6 s to 30 min. @default 45_000 */
  readonly sessionTimeoutMs?: number;
  /** How often a member says that it lives, milliseconds. Less than `sessionTimeoutMs`, at best a third of it. @default 3_000 */
  readonly heartbeatIntervalMs?: number;
  /**
   * How long the application may take from one poll to the next, milliseconds. One that takes longer is thought stuck, and leaves
   * the group until it polls again. A rebalance waits so long for each member. @default 300_000
   */
  readonly maxPollIntervalMs?: number;
  /**
   * Whether `poll` commits, at an interval, what the polls before it handed out. It does so too before partitions are given up
   * and on `close`: an application that is about to end because a record failed has that one committed too, unless it reads with
   * `for await`, whose loops commit what their bodies are done with. @default true with a groupId
   */
  readonly enableAutoCommit?: boolean;
  /** How often that is, milliseconds. @default 5_000 */
  readonly autoCommitIntervalMs?: number;
  /** Whether a pattern leaves out Kafka's own topics, such as `__consumer_offsets`. @default true */
  readonly excludeInternalTopics?: boolean;
  /**
   * The rack that this consumer is in: assignors prefer partitions with a replica there (KIP-881), and where the brokers'
   * `replica.selector.class` says so, records are read from there (KIP-392). @default none
   */
  readonly clientRack?: string;
}

/** The same, complete. */
export interface ResolvedGroupOptions {
  readonly groupId: string | null;
  readonly groupInstanceId: string | null;
  readonly groupProtocol: GroupProtocol;
  readonly groupRemoteAssignor: string | null;
  readonly partitionAssignmentStrategy: readonly AnyPartitionAssignor[];
  readonly sessionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  readonly maxPollIntervalMs: number;
  readonly enableAutoCommit: boolean;
  readonly autoCommitIntervalMs: number;
  readonly excludeInternalTopics: boolean;
  readonly clientRack: string | null;
}

const builtIn: Readonly<Record<AssignorName, AnyPartitionAssignor>> = Object.freeze({
  range: rangeAssignor,
  roundrobin: roundRobinAssignor,
  sticky: stickyAssignor,
  "cooperative-sticky": cooperativeStickyAssignor,
});

/** With the other protocol these are the broker's to say. */
const classicOptions = ["partitionAssignmentStrategy", "sessionTimeoutMs", "heartbeatIntervalMs"];

const int32Max = 0x7fff_ffff;

/** @throws OptionsError naming option, value and what is allowed */
export function resolveGroupOptions(reader: OptionReader): ResolvedGroupOptions {
  const groupId = reader.string("groupId", null);
  const resolved = {
    groupId,
    groupInstanceId: reader.string("groupInstanceId", null),
    groupProtocol: reader.oneOf("groupProtocol", "classic", groupProtocols),
    groupRemoteAssignor: reader.string("groupRemoteAssignor", null),
    partitionAssignmentStrategy: assignors(reader),
    sessionTimeoutMs: reader.integer("sessionTimeoutMs", 45_000, 1, int32Max),
    heartbeatIntervalMs: reader.integer("heartbeatIntervalMs", 3_000, 1, int32Max),
    maxPollIntervalMs: reader.integer("maxPollIntervalMs", 300_000, 1, int32Max),
    enableAutoCommit: reader.boolean("enableAutoCommit", groupId !== null),
    autoCommitIntervalMs: reader.integer("autoCommitIntervalMs", 5_000, 0, int32Max),
    excludeInternalTopics: reader.boolean("excludeInternalTopics", true),
    clientRack: reader.string("clientRack", null),
  };
  const others = resolved.groupProtocol === "classic" ? ["groupRemoteAssignor"] : classicOptions;
  for (const name of others) {
    if (!reader.has(name)) continue;
    throw new OptionsError(
      "groupProtocol",
      resolved.groupProtocol,
      `another one where ${name} is set, or ${name} left out;`,
    );
  }
  if (groupId === null && resolved.enableAutoCommit) {
    throw new OptionsError("enableAutoCommit", true, "a groupId to commit for");
  }
  if (groupId === null && resolved.groupInstanceId !== null) {
    throw new OptionsError("groupInstanceId", resolved.groupInstanceId, "a groupId to be a member of");
  }
  if (resolved.heartbeatIntervalMs >= resolved.sessionTimeoutMs) {
    const allowed = `less than sessionTimeoutMs (${resolved.sessionTimeoutMs})`;
    throw new OptionsError("heartbeatIntervalMs", resolved.heartbeatIntervalMs, allowed);
  }
  return resolved;
}

function assignors(reader: OptionReader): readonly AnyPartitionAssignor[] {
  const name = "partitionAssignmentStrategy";
  const allowed = `a list of ${Object.keys(builtIn).join(", ")}, and objects with a name and a method assign, or metadata, topicsOf and assignRaw`;
  const given = reader.value<readonly unknown[]>(name, ["range", "cooperative-sticky"], isList, allowed);
  const found = given.map((item, index) => {
    const assignor = typeof item === "string" ? new Map(Object.entries(builtIn)).get(item) : item;
    if (isAssignor(assignor)) return assignor;
    throw new OptionsError(`${name}[${index}]`, item, `one of ${allowed}`);
  });
  const names = found.map((assignor) => assignor.name);
  if (new Set(names).size < names.length) throw new OptionsError(name, names.join(), "each assignor only once");
  if (commonProtocol(found) === null) {
    throw new OptionsError(
      name,
      names.join(),
      "assignors that are all eager, or all cooperative, besides what else they are",
    );
  }
  return found;
}

const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value) && value.length > 0;

const protocols: readonly unknown[] = ["eager", "cooperative"];

function isAssignor(value: unknown): value is AnyPartitionAssignor {
  if (typeof value !== "object" || value === null || !("name" in value)) return false;
  const isBytewise = "assignRaw" in value;
  const methods = isBytewise ? ["metadata", "topicsOf", "assignRaw"] : ["assign"];
  const has = (method: string) => typeof Reflect.get(value, method) === "function";
  if (typeof value.name !== "string" || value.name === "" || !methods.every(has)) return false;
  if ("userData" in value && value.userData !== undefined && typeof value.userData !== "function") return false;
  const given: unknown = "protocols" in value ? (value.protocols ?? ["eager"]) : ["eager"];
  const allowed = isBytewise ? ["eager"] : protocols;
  return isList(given) && given.every((protocol) => allowed.includes(protocol));
}
