import { codeOf, encodeBlob } from "@odradek/protocol";
import { ConsumerProtocolSubscription } from "@odradek/protocol/messages/consumer-protocol";
import { DeleteGroups } from "@odradek/protocol/messages/delete-groups";
import { DescribeGroups } from "@odradek/protocol/messages/describe-groups";
import { Heartbeat } from "@odradek/protocol/messages/heartbeat";
import { JoinGroup } from "@odradek/protocol/messages/join-group";
import { LeaveGroup } from "@odradek/protocol/messages/leave-group";
import { ListGroups } from "@odradek/protocol/messages/list-groups";
import { OffsetCommit } from "@odradek/protocol/messages/offset-commit";
import { OffsetDelete } from "@odradek/protocol/messages/offset-delete";
import { OffsetFetch } from "@odradek/protocol/messages/offset-fetch";
import { SyncGroup } from "@odradek/protocol/messages/sync-group";
import { expect } from "vitest";
import { newName, type RawKafka, type RawTopic, transient } from "./raw-kafka.ts";
import { type Case, kafka } from "./suite.ts";

interface JoinOptions {
  readonly memberId?: string;
  readonly groupInstanceId?: string | null;
  readonly protocolType?: string;
  readonly protocols?: readonly string[];
  readonly sessionTimeoutMs?: number;
  readonly topics?: readonly string[];
}

interface Member {
  readonly memberId: string;
  readonly generationId: number;
  readonly groupInstanceId?: string | null;
}

/** A classic group, request by request. */
class ClassicGroup {
  readonly id: string;
  readonly #cluster: RawKafka;
  #coordinator = -1;

  private constructor(cluster: RawKafka, id: string) {
    this.#cluster = cluster;
    this.id = id;
  }

  static async of(cluster: RawKafka, id: string = newName()): Promise<ClassicGroup> {
    const group = new ClassicGroup(cluster, id);
    group.#coordinator = await cluster.coordinatorOf(group.id);
    // Until the coordinator has loaded its groups it says so.
    await cluster.eventually(
      () => group.heartbeat({ memberId: "nobody", generationId: 1 }),
      ({ errorCode }) => !transient.has(errorCode),
    );
    return group;
  }

  /** @param lane JoinGroup waits for others: each member has a connection of its own */
  join(options: JoinOptions = {}, lane = "") {
    const { memberId = "", groupInstanceId = null, protocolType = "consumer", protocols = ["range"] } = options;
    const metadata = encodeBlob(ConsumerProtocolSubscription, 1, { topics: options.topics ?? ["t"] });
    const request = {
      ...{ groupId: this.id, memberId, groupInstanceId, protocolType, reason: null },
      sessionTimeoutMs: options.sessionTimeoutMs ?? 30_000,
      rebalanceTimeoutMs: 30_000,
      protocols: protocols.map((name) => ({ name, metadata })),
    };
    return this.#cluster.ask(JoinGroup, 9, request, this.#coordinator, lane);
  }

  /** Joins, with the id that it is told to have. */
  async enter(options: JoinOptions = {}, lane = "") {
    const { memberId } = await this.join(options, lane);
    return this.join({ ...options, memberId }, lane);
  }

  sync(member: Member, assignments: readonly { memberId: string; assignment: Buffer }[] = [], lane = "") {
    const { memberId, generationId, groupInstanceId = null } = member;
    const protocol = { protocolType: "consumer", protocolName: "range" };
    const request = { groupId: this.id, generationId, memberId, groupInstanceId, ...protocol, assignments };
    return this.#cluster.ask(SyncGroup, 5, request, this.#coordinator, lane);
  }

  heartbeat({ memberId, generationId, groupInstanceId = null }: Member) {
    const request = { groupId: this.id, generationId, memberId, groupInstanceId };
    return this.#cluster.ask(Heartbeat, 4, request, this.#coordinator);
  }

  async leave(memberId: string, groupInstanceId: string | null = null) {
    const request = { groupId: this.id, members: [{ memberId, groupInstanceId }] };
    const { errorCode, members } = await this.#cluster.ask(LeaveGroup, 5, request, this.#coordinator);
    return errorCode || members[0]?.errorCode;
  }

  async describe() {
    const request = { groups: [this.id], includeAuthorizedOperations: false };
    return (await this.#cluster.ask(DescribeGroups, 6, request, this.#coordinator)).groups[0];
  }

  async listed() {
    const { groups } = await this.#cluster.ask(ListGroups, 5, { statesFilter: [], typesFilter: [] }, this.#coordinator);
    return groups.find(({ groupId }) => groupId === this.id);
  }

  async delete() {
    return (await this.#cluster.ask(DeleteGroups, 2, { groupsNames: [this.id] }, this.#coordinator)).results[0]
      ?.errorCode;
  }

  async commit(topic: RawTopic, offset: bigint, member: Partial<Member> = {}, metadata: string | null = null) {
    const { memberId = "", generationId = -1 } = member;
    const partitions = [{ partitionIndex: 0, committedOffset: offset, committedMetadata: metadata }];
    const topics = [{ name: topic.name, partitions }];
    const request = { groupId: this.id, generationIdOrMemberEpoch: generationId, memberId, topics };
    const answer = await this.#cluster.ask(OffsetCommit, 9, request, this.#coordinator);
    return answer.topics[0]?.partitions[0]?.errorCode;
  }

  async committed(topic: RawTopic) {
    const groups = [{ groupId: this.id, topics: [{ name: topic.name, partitionIndexes: [0] }] }];
    const answer = await this.#cluster.ask(OffsetFetch, 9, { groups, requireStable: true }, this.#coordinator);
    return answer.groups[0]?.topics[0]?.partitions[0];
  }

  async allCommitted() {
    const groups = [{ groupId: this.id, topics: null }];
    return (await this.#cluster.ask(OffsetFetch, 9, { groups, requireStable: true }, this.#coordinator)).groups[0];
  }

  deleteOffset(topic: RawTopic) {
    const topics = [{ name: topic.name, partitions: [{ partitionIndex: 0 }] }];
    return this.#cluster.ask(OffsetDelete, 0, { groupId: this.id, topics }, this.#coordinator);
  }
}

const code = codeOf;

export const groups: readonly Case[] = [
  kafka("a first join is answered with the id to join with", async (cluster) => {
    const group = await ClassicGroup.of(cluster);
    const first = await group.join();
    expect(first).toMatchObject({ errorCode: code("MEMBER_ID_REQUIRED"), generationId: -1, members: [] });
    expect(first.memberId).toMatch(/^suite-[0-9a-f-]{36}$/);
    const joined = await group.join({ memberId: first.memberId });
    const { memberId } = first;
    expect(joined).toMatchObject({ errorCode: 0, generationId: 1, protocolType: "consumer", protocolName: "range" });
    expect(joined).toMatchObject({ leader: memberId, memberId, skipAssignment: false, members: [{ memberId }] });
    const assignment = Buffer.from("mine");
    const synced = await group.sync(joined, [{ memberId, assignment }]);
    expect(synced).toMatchObject({ errorCode: 0, protocolType: "consumer", protocolName: "range", assignment });
    expect(await group.heartbeat(joined)).toMatchObject({ errorCode: 0 });
    expect(await group.sync(joined)).toMatchObject({ errorCode: 0, assignment });
  }),

  kafka("members and generations that the group does not know are refused", async (cluster) => {
    const group = await ClassicGroup.of(cluster);
    const joined = await group.enter();
    await group.sync(joined);
    const { memberId, generationId } = joined;
    const stranger = { memberId: "stranger", generationId };
    const late = { memberId, generationId: generationId - 1 };
    expect(await group.join({ memberId: "stranger" })).toMatchObject({ errorCode: code("UNKNOWN_MEMBER_ID") });
    expect(await group.heartbeat(stranger)).toMatchObject({ errorCode: code("UNKNOWN_MEMBER_ID") });
    expect(await group.heartbeat(late)).toMatchObject({ errorCode: code("ILLEGAL_GENERATION") });
    expect(await group.sync(stranger)).toMatchObject({ errorCode: code("UNKNOWN_MEMBER_ID") });
    expect(await group.sync(late)).toMatchObject({ errorCode: code("ILLEGAL_GENERATION") });
    expect(await group.leave("stranger")).toBe(code("UNKNOWN_MEMBER_ID"));
  }),

  kafka("what a group cannot work with is refused", async (cluster) => {
    const group = await ClassicGroup.of(cluster);
    expect(await group.join({ sessionTimeoutMs: 10 })).toMatchObject({ errorCode: code("INVALID_SESSION_TIMEOUT") });
    expect(await group.join({ protocols: [] })).toMatchObject({ errorCode: code("INCONSISTENT_GROUP_PROTOCOL") });
    await group.sync(await group.enter());
    const other = { errorCode: code("INCONSISTENT_GROUP_PROTOCOL") };
    expect(await group.join({ protocolType: "connect" })).toMatchObject(other);
    expect(await group.join({ protocols: ["sticky"] })).toMatchObject(other);
  }),

  kafka("a member that comes has all of them join again", async (cluster) => {
    const group = await ClassicGroup.of(cluster);
    const first = await group.enter({}, "first");
    await group.sync(first, [], "first");
    const entering = group.enter({}, "second");
    const told = await cluster.eventually(
      () => group.heartbeat(first),
      ({ errorCode }) => errorCode !== 0,
    );
    expect(told).toMatchObject({ errorCode: code("REBALANCE_IN_PROGRESS") });
    expect(await group.sync(first, [], "first")).toMatchObject({ errorCode: code("REBALANCE_IN_PROGRESS") });
    const [again, second] = await Promise.all([group.join({ memberId: first.memberId }, "first"), entering]);
    expect(again).toMatchObject({ errorCode: 0, generationId: 2, leader: first.memberId });
    expect(second).toMatchObject({ errorCode: 0, generationId: 2, leader: first.memberId, members: [] });
    expect(again.members.map(({ memberId }) => memberId).sort()).toEqual([first.memberId, second.memberId].sort());
    const share = Buffer.from("share");
    const [, synced] = await Promise.all([
      group.sync(again, [{ memberId: second.memberId, assignment: share }], "first"),
      group.sync(second, [], "second"),
    ]);
    expect(synced).toMatchObject({ errorCode: 0, assignment: share });
    expect(await group.describe()).toMatchObject({ groupState: "Stable", protocolData: "range" });
    // Whoever joins again, and is not the leader, hears what it knows.
    expect(await group.join({ memberId: second.memberId }, "second")).toMatchObject({ errorCode: 0, generationId: 2 });
    expect(await group.leave(second.memberId)).toBe(0);
    expect(await group.heartbeat(again)).toMatchObject({ errorCode: code("REBALANCE_IN_PROGRESS") });
    const alone = await group.join({ memberId: first.memberId }, "first");
    expect(alone).toMatchObject({ errorCode: 0, generationId: 3, members: [{ memberId: first.memberId }] });
  }),

  kafka("a static member that comes back changes nothing", async (cluster) => {
    const group = await ClassicGroup.of(cluster);
    const groupInstanceId = "instance";
    const first = await group.join({ groupInstanceId });
    expect(first).toMatchObject({ errorCode: 0, generationId: 1 });
    const assignment = Buffer.from("mine");
    await group.sync({ ...first, groupInstanceId }, [{ memberId: first.memberId, assignment }]);
    const back = await group.join({ groupInstanceId });
    expect(back).toMatchObject({ errorCode: 0, generationId: 1, skipAssignment: true, leader: back.memberId });
    expect(back.memberId).not.toBe(first.memberId);
    expect(await group.sync({ ...back, groupInstanceId })).toMatchObject({ errorCode: 0, assignment });
    const fenced = { errorCode: code("FENCED_INSTANCE_ID") };
    expect(await group.heartbeat({ ...first, groupInstanceId })).toMatchObject(fenced);
    expect(await group.join({ memberId: first.memberId, groupInstanceId })).toMatchObject(fenced);
    expect(await group.leave("", "nobody")).toBe(code("UNKNOWN_MEMBER_ID"));
    expect(await group.leave("", groupInstanceId)).toBe(0);
    expect(await group.describe()).toMatchObject({ groupState: "Empty" });
  }),

  kafka("a member that is silent for too long is gone", async (cluster) => {
    const group = await ClassicGroup.of(cluster);
    const joined = await group.enter({ sessionTimeoutMs: 1_000 });
    await group.sync(joined);
    const described = await cluster.eventually(
      () => group.describe(),
      (answer) => answer?.groupState !== "Stable",
    );
    expect(described).toMatchObject({ groupState: "Empty", members: [] });
    expect(await group.heartbeat(joined)).toMatchObject({ errorCode: code("UNKNOWN_MEMBER_ID") });
  }),

  kafka("whoever is in no group may keep offsets in one", async (cluster) => {
    const topic = await cluster.topic();
    const group = await ClassicGroup.of(cluster);
    expect(await group.committed(topic)).toMatchObject({ errorCode: 0, committedOffset: -1n, metadata: "" });
    expect(await group.commit(topic, 3n, {}, "note")).toBe(0);
    expect(await group.committed(topic)).toMatchObject({ errorCode: 0, committedOffset: 3n, metadata: "note" });
    expect(await group.allCommitted()).toMatchObject({ errorCode: 0, topics: [{ name: topic.name }] });
    expect(await group.listed()).toMatchObject({ groupState: "Empty", groupType: "classic", protocolType: "" });
    expect(await group.commit(topic, 3n, { memberId: "of its own" }, "note")).toBe(0);
    expect(await group.commit(topic, 3n, {}, "x".repeat(5_000))).toBe(code("OFFSET_METADATA_TOO_LARGE"));
    const unknown = { name: `${topic.name}-not`, id: topic.id };
    expect(await group.commit(unknown, 3n)).toBe(code("UNKNOWN_TOPIC_OR_PARTITION"));
    expect(await group.deleteOffset(topic)).toMatchObject({
      errorCode: 0,
      topics: [{ partitions: [{ errorCode: 0 }] }],
    });
    expect(await group.committed(topic)).toMatchObject({ committedOffset: -1n });
  }),

  kafka("a group without a name holds offsets, and has no members", async (cluster) => {
    const topic = await cluster.topic();
    const nameless = await ClassicGroup.of(cluster, "");
    expect(await nameless.commit(topic, 5n)).toBe(0);
    expect(await nameless.committed(topic)).toMatchObject({ errorCode: 0, committedOffset: 5n });
    expect(await nameless.join()).toMatchObject({ errorCode: code("INVALID_GROUP_ID") });
    expect(await nameless.heartbeat({ memberId: "nobody", generationId: 1 })).toMatchObject({
      errorCode: code("INVALID_GROUP_ID"),
    });
  }),

  kafka("a group with members takes offsets from them alone", async (cluster) => {
    const topic = await cluster.topic();
    const group = await ClassicGroup.of(cluster);
    const joined = await group.enter({ topics: [topic.name] });
    expect(await group.commit(topic, 1n, joined)).toBe(code("REBALANCE_IN_PROGRESS"));
    await group.sync(joined);
    expect(await group.commit(topic, 1n, joined)).toBe(0);
    expect(await group.commit(topic, 2n)).toBe(code("UNKNOWN_MEMBER_ID"));
    expect(await group.commit(topic, 2n, { ...joined, generationId: 9 })).toBe(code("ILLEGAL_GENERATION"));
    expect(await group.commit(topic, 2n, { memberId: "stranger", generationId: 1 })).toBe(code("UNKNOWN_MEMBER_ID"));
    const subscribed = code("GROUP_SUBSCRIBED_TO_TOPIC");
    expect(await group.deleteOffset(topic)).toMatchObject({ topics: [{ partitions: [{ errorCode: subscribed }] }] });
    expect(await group.delete()).toBe(code("NON_EMPTY_GROUP"));
    await group.leave(joined.memberId);
    expect(await group.delete()).toBe(0);
    expect(await group.delete()).toBe(code("GROUP_ID_NOT_FOUND"));
    expect(await group.commit(topic, 2n, joined)).toBe(code("GROUP_ID_NOT_FOUND"));
  }),

  kafka("a group that is not there is told of as dead", async (cluster) => {
    const group = await ClassicGroup.of(cluster);
    const dead = { errorCode: code("GROUP_ID_NOT_FOUND"), groupState: "Dead", members: [] };
    expect(await group.describe()).toMatchObject({ ...dead, errorMessage: `Group ${group.id} not found.` });
    expect(await group.listed()).toBeUndefined();
    const stranger = { memberId: "stranger", generationId: 1 };
    expect(await group.heartbeat(stranger)).toMatchObject({ errorCode: code("UNKNOWN_MEMBER_ID") });
    expect(await group.sync(stranger)).toMatchObject({ errorCode: code("UNKNOWN_MEMBER_ID") });
    expect(await group.leave("stranger")).toBe(code("UNKNOWN_MEMBER_ID"));
  }),
];
