import type { TopicPartition } from "@odradek/network";
import { Heartbeat } from "@odradek/protocol/messages/heartbeat";
import { JoinGroup, type JoinGroupResponse } from "@odradek/protocol/messages/join-group";
import { SyncGroup } from "@odradek/protocol/messages/sync-group";
import type { ConsumerOptions } from "../../src/consumer-options.ts";
import { ClassicMembership } from "../../src/group/classic-membership.ts";
import { decodeSubscription } from "../../src/group/consumer-protocol.ts";
import { GroupMember } from "./group-member.ts";
import { beat, bodyOf, joined, named, type ScriptedFinder, synced, texts } from "./scripted-group.ts";

/** A member of a classic group. */
export class TestMember extends GroupMember<ClassicMembership> {
  constructor(options: Partial<ConsumerOptions> = {}, finder?: ScriptedFinder) {
    super(ClassicMembership, options, finder);
  }

  /** Has the coordinator answer the JoinGroup, then the SyncGroup, and the rest follow. */
  async join(partitions: readonly TopicPartition[], place: Partial<JoinGroupResponse> = {}): Promise<void> {
    await this.settle();
    const { protocolName = this.options.partitionAssignmentStrategy[0]?.name ?? null } = place;
    this.take(JoinGroup).onAnswer(joined({ protocolName, ...place }));
    await this.settle();
    this.take(SyncGroup).onAnswer(synced(partitions, { protocolName }));
    await this.settle();
  }

  /** Lets the next heartbeat be sent, and has the coordinator answer it. */
  async beat(...[error]: Parameters<typeof beat>): Promise<void> {
    await this.pass(this.options.heartbeatIntervalMs);
    this.take(Heartbeat).onAnswer(beat(error));
    await this.settle();
  }
}

/** A member with a place in generation 1, and these partitions, whose listener was told nothing since. */
export async function memberOf(names: readonly string[], options: Partial<ConsumerOptions> = {}): Promise<TestMember> {
  const member = new TestMember(options);
  await member.join(named(...names));
  if (member.state !== "STABLE") throw new Error(`it is ${member.state}`);
  member.told.length = 0;
  return member;
}

/** Takes the JoinGroup of a member: as whom it joins, in which generation it was, and what it says that it holds. */
export function joinsAs(member: TestMember): string {
  const { memberId, protocols } = bodyOf(member.take(JoinGroup));
  const [{ metadata } = { metadata: Buffer.alloc(0) }] = protocols;
  const { generationId, ownedPartitions } = decodeSubscription(Buffer.from(metadata));
  return [memberId || "nobody", generationId, ...texts(ownedPartitions)].join(" ");
}
