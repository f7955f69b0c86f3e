import type { Api, Fields, Output } from "@odradek/protocol";
import { Heartbeat } from "@odradek/protocol/messages/heartbeat";
import { JoinGroup } from "@odradek/protocol/messages/join-group";
import { LeaveGroup } from "@odradek/protocol/messages/leave-group";
import { SyncGroup } from "@odradek/protocol/messages/sync-group";
import type { ResolvedConsumerOptions } from "../consumer-options.ts";
import { ApiRequest, type OutgoingRequest } from "../outgoing-request.ts";
import { consumerProtocolType } from "./consumer-protocol.ts";
import type { EncodedAssignment } from "./division.ts";
import type { MemberIdentity } from "./member-identity.ts";

type Options = Pick<
  ResolvedConsumerOptions<unknown, unknown>,
  "maxPollIntervalMs" | "requestTimeoutMs" | "sessionTimeoutMs"
>;

/** What is done with what comes. */
export interface Handlers<A extends Api> {
  readonly onAnswer: (answer: A extends Api<Fields, infer Res> ? Output<Res> : never) => void;
  readonly onFailure: (error: Error) => void;
}

/** An assignor that a member offers, and what it says of itself to it. */
export interface OfferedProtocol {
  readonly name: string;
  readonly metadata: Buffer;
}

/** How much longer than the rebalance a JoinGroup is waited for. Kafka's `JOIN_GROUP_TIMEOUT_LAPSE`. */
const joinLapseMs = 5_000;

/** Most of a reason that a broker is told, characters. */
const longestReason = 255;

/** From this version on many members can leave at once. */
const manyMembersSince = 3;

/** What a member of a classic group says to its coordinator. */
export class ClassicRequests {
  readonly #groupId: string;
  readonly #options: Options;

  constructor(groupId: string, options: Options) {
    this.#groupId = groupId;
    this.#options = options;
  }

  join(
    nodeId: number,
    { memberId, groupInstanceId }: MemberIdentity,
    protocols: readonly OfferedProtocol[],
    reason: string,
    handlers: Handlers<typeof JoinGroup>,
  ): OutgoingRequest {
    const { sessionTimeoutMs, maxPollIntervalMs, requestTimeoutMs } = this.#options;
    return new ApiRequest({
      nodeId,
      api: JoinGroup,
      body: {
        groupId: this.#groupId,
        sessionTimeoutMs,
        rebalanceTimeoutMs: maxPollIntervalMs,
        memberId,
        groupInstanceId,
        protocolType: consumerProtocolType,
        protocols: [...protocols],
        reason: reason.slice(0, longestReason),
      },
      // The coordinator answers once all members are there.
      options: {
        ...on(groupInstanceId, 5),
        timeoutMs: Math.max(requestTimeoutMs, maxPollIntervalMs + joinLapseMs),
      },
      ...handlers,
    });
  }

  /** @param protocolName the assignor that was chosen @param assignments empty from all but the leader */
  sync(
    nodeId: number,
    { memberId, generationId, groupInstanceId }: MemberIdentity,
    protocolName: string | null,
    assignments: readonly EncodedAssignment[],
    handlers: Handlers<typeof SyncGroup>,
  ): OutgoingRequest {
    const { requestTimeoutMs, maxPollIntervalMs } = this.#options;
    return new ApiRequest({
      nodeId,
      api: SyncGroup,
      body: {
        groupId: this.#groupId,
        generationId,
        memberId,
        groupInstanceId,
        protocolType: consumerProtocolType,
        protocolName,
        assignments: [...assignments],
      },
      // The coordinator answers once the leader has said.
      options: { ...on(groupInstanceId, 3), timeoutMs: Math.max(requestTimeoutMs, maxPollIntervalMs + joinLapseMs) },
      ...handlers,
    });
  }

  heartbeat(nodeId: number, identity: MemberIdentity, handlers: Handlers<typeof Heartbeat>): OutgoingRequest {
    const { memberId, generationId, groupInstanceId } = identity;
    return new ApiRequest({
      nodeId,
      api: Heartbeat,
      body: { groupId: this.#groupId, generationId, memberId, groupInstanceId },
      options: on(groupInstanceId, 3),
      ...handlers,
    });
  }

  leave(
    nodeId: number,
    { memberId, groupInstanceId }: MemberIdentity,
    reason: string,
    handlers: Handlers<typeof LeaveGroup>,
  ): OutgoingRequest {
    const groupId = this.#groupId;
    const member = { memberId, groupInstanceId, reason: reason.slice(0, longestReason) };
    return new ApiRequest({
      nodeId,
      api: LeaveGroup,
      body: (version) =>
        version < manyMembersSince ? { groupId, memberId, members: [] } : { groupId, memberId: "", members: [member] },
      options: { ...on(groupInstanceId, manyMembersSince), purpose: "main" },
      ...handlers,
    });
  }
}

/** Static members can be told from others only in versions of their own (KIP-345). */
const on = (groupInstanceId: string | null, staticSince: number) =>
  ({ purpose: "coordinator", bounds: groupInstanceId === null ? {} : { oldest: staticSince } }) as const;
