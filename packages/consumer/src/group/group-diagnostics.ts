import { type Channel, channel } from "node:diagnostics_channel";
import { Diagnostics, type DiagnosticsListener, type DiagnosticsMessages, type TopicPartition } from "@odradek/network";
import { hasPlace, type MemberIdentity } from "./member-identity.ts";

/** What every message says: whose membership. */
export interface MembershipMessage {
  readonly kind: "consumer";
  readonly clientId: string;
  readonly groupId: string;
  readonly memberId: string;
  /** The generation of the group, or the member's epoch in a group of the consumer protocol. */
  readonly generationId: number;
}

/** `odradek:group-heartbeat`: the coordinator has taken a heartbeat. */
export type GroupHeartbeatMessage = MembershipMessage;

/** `odradek:group-assignment`: the group has told a member what is its own; its listener hears of that next. */
export interface GroupAssignmentMessage extends MembershipMessage {
  /** The member that has decided; `null` where the coordinator has. */
  readonly leaderId: string | null;
  /** The assignor by which it was decided; `null` where the coordinator does not say. */
  readonly assignor: string | null;
  /** As it was given: topics that it did not subscribe to are in it, and left out afterwards. */
  readonly assigned: readonly TopicPartition[];
}

/** The messages of each channel of `node:diagnostics_channel` that a consumer has besides those of its connections. */
export interface ConsumerDiagnosticsMessages extends DiagnosticsMessages {
  readonly "odradek:group-heartbeat": GroupHeartbeatMessage;
  readonly "odradek:group-assignment": GroupAssignmentMessage;
}

type GroupMessages = Omit<ConsumerDiagnosticsMessages, keyof DiagnosticsMessages>;

export const groupChannels: Readonly<Record<keyof GroupMessages, Channel>> = Object.freeze({
  "odradek:group-heartbeat": channel("odradek:group-heartbeat"),
  "odradek:group-assignment": channel("odradek:group-assignment"),
});

/** Tells who listens what happens to a place in a group. */
export class GroupDiagnostics {
  readonly #groupId: string;
  readonly #clientId: string;
  readonly #diagnostics: Diagnostics<GroupMessages>;

  constructor(groupId: string, clientId: string, listener: DiagnosticsListener<ConsumerDiagnosticsMessages>) {
    this.#groupId = groupId;
    this.#clientId = clientId;
    this.#diagnostics = new Diagnostics<GroupMessages>(groupChannels, listener);
  }

  /** Not of one that has just asked for a place. */
  heartbeatTaken(identity: MemberIdentity): void {
    if (!hasPlace(identity) || !this.#diagnostics.isHeard("odradek:group-heartbeat")) return;
    this.#diagnostics.tell("odradek:group-heartbeat", this.#message(identity));
  }

  assigned(identity: MemberIdentity, what: Pick<GroupAssignmentMessage, "leaderId" | "assignor" | "assigned">): void {
    if (!this.#diagnostics.isHeard("odradek:group-assignment")) return;
    this.#diagnostics.tell("odradek:group-assignment", { ...this.#message(identity), ...what });
  }

  #message({ memberId, generationId }: MemberIdentity): MembershipMessage {
    return { kind: "consumer", clientId: this.#clientId, groupId: this.#groupId, memberId, generationId };
  }
}
