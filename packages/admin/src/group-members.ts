import { OptionReader } from "@odradek/network";
import { BrokerError, type KafkaError } from "@odradek/protocol";
import { LeaveGroup } from "@odradek/protocol/messages/leave-group";
import { checkedTexts } from "./asking/arguments.ts";
import { type AdminCallOptions, type AdminContext, Call } from "./asking/call.ts";
import { askAll } from "./asking/fan-out.ts";
import { toCoordinator } from "./asking/routing.ts";
import { describeConsumerGroups } from "./group-descriptions.ts";
import { checkedGroupId } from "./groups.ts";
import type { Results } from "./results.ts";

export interface RemoveMembersOptions extends AdminCallOptions {
  /** Why they go, for the broker's log, beside that an admin removes them (KIP-800, Kafka 3.2). @default none */
  readonly reason?: string;
}

/** A member as an answer has it: by the id of its instance where it is static, else by its own. */
interface Member {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
}

const keyOf = ({ memberId, groupInstanceId }: Member): string => groupInstanceId ?? memberId;

/** See `KafkaAdmin.removeMembersFromConsumerGroup`. */
export async function removeMembersFromConsumerGroup(
  context: AdminContext,
  given: string,
  instanceIds: readonly string[] | null,
  options: RemoveMembersOptions,
): Promise<Results<string>> {
  const groupId = checkedGroupId(given);
  const named =
    instanceIds === null
      ? null
      : checkedTexts("groupInstanceIds", instanceIds, "the id of the instance of a static member");
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  const reason = reasonText(reader.string("reason", null));
  reader.finish();
  const members =
    named?.map((groupInstanceId) => ({ memberId: "", groupInstanceId })) ?? (await membersOf(call, groupId));
  const byKey = new Map(members.map((member) => [keyOf(member), member]));
  return askAll(call, {
    keys: [...byKey.keys()],
    textOf: String,
    routing: toCoordinator("group", () => groupId),
    doneBefore: new Set(["UNKNOWN_MEMBER_ID"]),
    ask: async (keys, whom) => {
      const leaving = keys.flatMap((key) => byKey.get(key) ?? []).map((member) => ({ ...member, reason }));
      const response = await call.request(LeaveGroup, { groupId, members: leaving }, whom, {
        oldest: manyMembersSince,
      });
      if (response.errorCode !== 0) throw new BrokerError(response.errorCode, `removing members of group ${groupId}`);
      return new Map(
        response.members.map((member): [string, string | KafkaError] => {
          const key = keyOf(member);
          const about = `removing member ${key} of group ${groupId}`;
          return [key, member.errorCode === 0 ? key : new BrokerError(member.errorCode, about)];
        }),
      );
    },
  });
}

const manyMembersSince = 3;

/** More of it the broker would not take. */
const longestReason = 255;

/** In the words of Java's admin client, by which operators find it in logs. */
const reasonText = (reason: string | null): string =>
  `member was removed by an admin${reason === null ? "" : `: ${reason}`}`.slice(0, longestReason);

/** Every member that the group has right now. */
async function membersOf(call: Call, groupId: string): Promise<readonly Member[]> {
  const { deadline, signal, context } = call;
  const options = { timeoutMs: Math.ceil(deadline.remainingMs), ...(signal === undefined ? {} : { signal }) };
  const [group] = (await describeConsumerGroups(context, [groupId], options)).orThrow();
  return group?.members ?? [];
}
