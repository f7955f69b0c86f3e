import { ConnectionError } from "@odradek/network";
import type { BrokerErrorName } from "@odradek/protocol";
import { ConsumerGroupHeartbeat } from "@odradek/protocol/messages/consumer-group-heartbeat";
import { Heartbeat } from "@odradek/protocol/messages/heartbeat";
import { JoinGroup } from "@odradek/protocol/messages/join-group";
import { LeaveGroup } from "@odradek/protocol/messages/leave-group";
import type { ConsumerOptions } from "../../src/consumer-options.ts";
import type { GroupMembership } from "../../src/group/group-membership.ts";
import { ConsumerMember, heard, intervalMs } from "./consumer-member.ts";
import type { GroupMember } from "./group-member.ts";
import { bodyOf, joined, left, named } from "./scripted-group.ts";
import { TestMember } from "./test-member.ts";

const closed = () => new ConnectionError({ host: "127.0.0.1", port: 9092 }, "closed");

/** A member and its coordinator, which speak one protocol or the other. */
export interface MembershipDriver {
  readonly member: GroupMember<GroupMembership & { readonly state: string }>;
  /** Has the coordinator give it, while the application polls, a place and these partitions. */
  join(...names: readonly string[]): Promise<void>;
  /** Has the coordinator say with an answer to a heartbeat that these partitions shall be its own. */
  announce(...names: readonly string[]): Promise<void>;
  /** Has the rest of that happen while the application polls. */
  finish(...names: readonly string[]): Promise<void>;
  /** Has the next heartbeat be refused. */
  refuse(error: BrokerErrorName): Promise<void>;
  /** Has the request by which it joins be refused. */
  refuseToJoin(error: BrokerErrorName): Promise<void>;
  /** Has the connection be lost while a heartbeat is under way. */
  disconnect(): Promise<void>;
  /** Takes the request by which it joins: what is returned gives it a place. */
  takeJoin(): () => void;
  /** Takes the request by which it leaves: what is returned answers it. @throws where there is none */
  takeFarewell(): () => void;
}

/** Of the classic protocol, in which a member may keep what it has in a rebalance. */
export class ClassicDriver implements MembershipDriver {
  readonly member: TestMember;
  #generationId = 0;

  constructor(options: Partial<ConsumerOptions> = {}) {
    this.member = new TestMember({ partitionAssignmentStrategy: ["cooperative-sticky"], ...options });
  }

  async join(...names: readonly string[]): Promise<void> {
    this.#generationId += 1;
    await this.member.join(named(...names), { generationId: this.#generationId });
  }

  announce(): Promise<void> {
    return this.member.beat("REBALANCE_IN_PROGRESS");
  }

  async finish(...names: readonly string[]): Promise<void> {
    await this.join(...names);
  }

  refuse(error: BrokerErrorName): Promise<void> {
    return this.member.beat(error);
  }

  async refuseToJoin(error: BrokerErrorName): Promise<void> {
    this.member.take(JoinGroup).onAnswer(joined({ error }));
    await this.member.settle();
  }

  async disconnect(): Promise<void> {
    await this.member.pass(this.member.options.heartbeatIntervalMs);
    this.member.take(Heartbeat).onFailure(closed());
    await this.member.settle();
  }

  takeJoin(): () => void {
    const request = this.member.take(JoinGroup);
    return () => request.onAnswer(joined({ protocolName: "cooperative-sticky" }));
  }

  takeFarewell(): () => void {
    const request = this.member.take(LeaveGroup);
    return () => request.onAnswer(left());
  }
}

export class ConsumerDriver implements MembershipDriver {
  readonly member: ConsumerMember;

  constructor(options: Partial<ConsumerOptions> = {}) {
    this.member = new ConsumerMember(options);
  }

  join(...names: readonly string[]): Promise<void> {
    return this.member.join(names);
  }

  announce(...names: readonly string[]): Promise<void> {
    return this.member.beat(names);
  }

  finish(): Promise<void> {
    return this.member.answer();
  }

  refuse(error: BrokerErrorName): Promise<void> {
    return this.member.beat(null, { error });
  }

  refuseToJoin(error: BrokerErrorName): Promise<void> {
    return this.member.answer(null, { error });
  }

  async disconnect(): Promise<void> {
    await this.member.pass(intervalMs);
    this.member.takeBeat().onFailure(closed());
    await this.member.settle();
  }

  takeJoin(): () => void {
    const request = this.#takeOf(0);
    return () => request.onAnswer(heard(["orders-0"]));
  }

  takeFarewell(): () => void {
    const request = this.#takeOf(-1);
    return () => request.onAnswer(heard());
  }

  #takeOf(memberEpoch: number) {
    for (;;) {
      const request = this.member.take(ConsumerGroupHeartbeat);
      if (bodyOf(request).memberEpoch === memberEpoch) return request;
    }
  }
}
