import { OptionReader, OptionsError } from "@odradek/network";
import { BrokerError } from "@odradek/protocol";
import { DeleteGroups } from "@odradek/protocol/messages/delete-groups";
import { ListGroups } from "@odradek/protocol/messages/list-groups";
import { checkedKeys, isTextOrEmpty } from "./asking/arguments.ts";
import { type AdminCallOptions, type AdminContext, Call } from "./asking/call.ts";
import { brokerIds } from "./asking/cluster-metadata.ts";
import { askAll, askOne } from "./asking/fan-out.ts";
import { toBroker, toCoordinator } from "./asking/routing.ts";
import type { Results } from "./results.ts";

/** Source: Kafka's `GroupType`. */
export type GroupType = "Classic" | "Consumer" | "Share" | "Streams" | "Unknown";

/** Source: Kafka's `GroupState`. */
export type GroupState =
  | "PreparingRebalance"
  | "CompletingRebalance"
  | "Stable"
  | "Dead"
  | "Empty"
  | "Assigning"
  | "Reconciling"
  | "NotReady"
  | "Unknown";

const groupTypes: readonly GroupType[] = ["Classic", "Consumer", "Share", "Streams"];

const groupStates: readonly GroupState[] = [
  "PreparingRebalance",
  "CompletingRebalance",
  "Stable",
  "Dead",
  "Empty",
  "Assigning",
  "Reconciling",
  "NotReady",
];

/** @returns `Unknown` for a state of a broker that is newer than we are */
export const groupStateOf = (text: string): GroupState => groupStates.find((state) => state === text) ?? "Unknown";

const groupTypeOf = (text: string): GroupType =>
  groupTypes.find((type) => type.toLowerCase() === text.toLowerCase()) ?? "Unknown";

export interface ListGroupsOptions extends AdminCallOptions {
  /** Only groups in one of these states (KIP-518, Kafka 2.6). @default groups in any state */
  readonly states?: readonly GroupState[];
  /**
   * Only groups of these types (KIP-848, Kafka 3.8). Older brokers have classic groups alone, which `["Classic"]` and
   * `["Classic", "Consumer"]` get from them too; whatever else they refuse. @default groups of every type
   */
  readonly types?: readonly GroupType[];
  /** Only groups whose members speak one of these, such as `consumer` or `connect`. @default all of them */
  readonly protocolTypes?: readonly string[];
}

export interface GroupListing {
  readonly groupId: string;
  /** `Unknown` before Kafka 3.8. */
  readonly type: GroupType;
  /** What its members speak, such as `consumer` or `connect`; empty for a group that only holds offsets. */
  readonly protocolType: string;
  /** `Unknown` before Kafka 2.6. */
  readonly state: GroupState;
}

/** See `KafkaAdmin.listGroups`. */
export async function listGroups(
  context: AdminContext,
  options: ListGroupsOptions,
): Promise<Results<GroupListing[], number>> {
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  const states = reader.items("states", [], isOneOf(groupStates), `one of ${groupStates.join(", ")}`);
  const types = reader.items("types", [], isOneOf(groupTypes), `one of ${groupTypes.join(", ")}`);
  const protocolTypes = reader.items("protocolTypes", [], isTextOrEmpty, "a text");
  reader.finish();
  const ids = await askOne(call, "the brokers of the cluster", () => brokerIds(call));
  return askAll(call, {
    keys: ids,
    textOf: String,
    routing: toBroker((id) => id),
    ask: async (_, whom) => {
      const oldest = !isOfOldTypes(types) ? typesSince : states.length > 0 ? statesSince : 0;
      const body = (version: number) => ({
        ...(version < statesSince ? {} : { statesFilter: [...states] }),
        ...(version < typesSince ? {} : { typesFilter: [...types] }),
      });
      const { errorCode, groups } = await call.request(ListGroups, body, whom, { oldest });
      if (errorCode !== 0) throw new BrokerError(errorCode, `listing groups of broker ${whom}`);
      const listings = groups.map((group) => ({
        groupId: group.groupId,
        type: groupTypeOf(group.groupType),
        protocolType: group.protocolType,
        state: groupStateOf(group.groupState),
      }));
      const isWanted = ({ protocolType }: GroupListing) =>
        protocolTypes.length === 0 || protocolTypes.includes(protocolType);
      return new Map([[String(whom), listings.filter(isWanted)]]);
    },
  });
}

/**
 * Whether a broker before Kafka 3.8 gives the same without being told the types: its groups are all classic. Consumer groups alone are
 * not among those types, since it would give the classic ones for them. Source: Kafka's `ListGroupsRequest.Builder`.
 */
const isOfOldTypes = (types: readonly GroupType[]): boolean =>
  types.length === 0 || (types.includes("Classic") && types.every((type) => type === "Classic" || type === "Consumer"));

const statesSince = 4;
const typesSince = 5;

const isOneOf =
  <T extends string>(all: readonly T[]) =>
  (value: unknown): value is T =>
    all.some((known) => known === value);

/** It may be empty: that of whoever committed offsets without naming a group, which brokers still keep (KIP-289). */
export const isGroupId = isTextOrEmpty;

export const checkedGroupIds = (given: readonly string[]): readonly string[] =>
  checkedKeys("groupIds", given, checkedId);

export const checkedGroupId = (given: string): string => checkedId(given, "groupId");

function checkedId(given: string, path: string): string {
  if (!isGroupId(given)) throw new OptionsError(path, given, "the id of a group");
  return given;
}

/** See `KafkaAdmin.deleteConsumerGroups`, `deleteShareGroups` and `deleteStreamsGroups`. */
export async function deleteGroups(
  context: AdminContext,
  given: readonly string[],
  options: AdminCallOptions,
): Promise<Results<string>> {
  const groupIds = checkedGroupIds(given);
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  reader.finish();
  return askAll<string, string>(call, {
    keys: groupIds,
    textOf: String,
    routing: toCoordinator("group", (groupId) => groupId),
    doneBefore: new Set(["GROUP_ID_NOT_FOUND"]),
    ask: async (groupsNames, whom) => {
      const { results } = await call.request(DeleteGroups, { groupsNames }, whom);
      return new Map(
        results.map(({ groupId, errorCode }): [string, string | BrokerError] => [
          groupId,
          errorCode === 0 ? groupId : new BrokerError(errorCode, `deleting group ${groupId}`),
        ]),
      );
    },
  });
}
