import { codeOf } from "@odradek/protocol";
import { ConsumerGroupDescribe } from "@odradek/protocol/messages/consumer-group-describe";
import { ConsumerGroupHeartbeat } from "@odradek/protocol/messages/consumer-group-heartbeat";
import { OffsetCommit } from "@odradek/protocol/messages/offset-commit";
import { expect } from "vitest";
import { newName, type RawKafka, type RawTopic, transient } from "./raw-kafka.ts";
import { type Case, kafka } from "./suite.ts";

interface Beat {
  readonly memberId: string;
  readonly memberEpoch: number;
  readonly instanceId?: string;
  readonly topics?: readonly string[];
  readonly regex?: string;
  readonly assignor?: string;
  /** What it owns; `undefined` for no change. */
  readonly owned?: readonly number[];
}

/** A group of the consumer protocol, heartbeat by heartbeat. */
class ConsumerGroup {
  readonly id = newName();
  readonly #cluster: RawKafka;
  readonly #topic: RawTopic;

  constructor(cluster: RawKafka, topic: RawTopic) {
    this.#cluster = cluster;
    this.#topic = topic;
  }

  get #broker(): Promise<number> {
    return this.#cluster.coordinatorOf(this.id);
  }

  async beat(beat: Beat) {
    const { memberId, memberEpoch, instanceId = null, topics = null, regex = null, assignor = null, owned } = beat;
    const isJoin = memberEpoch === 0;
    const partitions = owned ?? (isJoin ? [] : undefined);
    const request = {
      ...{ groupId: this.id, memberId, memberEpoch, instanceId, serverAssignor: assignor },
      rebalanceTimeoutMs: isJoin ? 30_000 : -1,
      subscribedTopicNames: topics ?? (isJoin && regex === null ? [this.#topic.name] : null),
      subscribedTopicRegex: regex,
      topicPartitions:
        partitions === undefined ? null : partitions.length === 0 ? [] : [{ topicId: this.#topic.id, partitions }],
    };
    const broker = await this.#broker;
    return this.#cluster.eventually(
      () => this.#cluster.ask(ConsumerGroupHeartbeat, 1, request, broker),
      ({ errorCode }) => !transient.has(errorCode),
    );
  }

  /**
   * Heartbeats, each with the epoch that the one before was answered with, until there is news: partitions are divided in the
   * background, and not at every change.
   */
  beatUntil(
    { memberId, memberEpoch }: Pick<Beat, "memberId" | "memberEpoch">,
    isNews: (answer: Awaited<ReturnType<ConsumerGroup["beat"]>>) => boolean,
  ) {
    let epoch = memberEpoch;
    return this.#cluster.eventually(async () => {
      const answer = await this.beat({ memberId, memberEpoch: epoch });
      if (answer.errorCode === 0) epoch = answer.memberEpoch;
      return answer;
    }, isNews);
  }

  async describe() {
    const request = { groupIds: [this.id], includeAuthorizedOperations: false };
    return (await this.#cluster.ask(ConsumerGroupDescribe, 1, request, await this.#broker)).groups[0];
  }

  async commit(memberId: string, memberEpoch: number) {
    const partitions = [{ partitionIndex: 0, committedOffset: 1n, committedMetadata: null }];
    const topics = [{ name: this.#topic.name, partitions }];
    const request = { groupId: this.id, generationIdOrMemberEpoch: memberEpoch, memberId, topics };
    const answer = await this.#cluster.ask(OffsetCommit, 9, request, await this.#broker);
    return answer.topics[0]?.partitions[0]?.errorCode;
  }
}

const code = codeOf;
const partitionsOf = (answer: {
  assignment: { topicPartitions: { partitions: number[] }[] } | null;
}): number[] | null =>
  answer.assignment === null ? null : answer.assignment.topicPartitions.flatMap(({ partitions }) => partitions).sort();

export const consumerGroups: readonly Case[] = [
  kafka("a member alone gets all partitions", async (cluster) => {
    const topic = await cluster.topic(3);
    const group = new ConsumerGroup(cluster, topic);
    const memberId = newName();
    const joined = await group.beat({ memberId, memberEpoch: 0 });
    expect(joined).toMatchObject({ errorCode: 0, errorMessage: null, memberId });
    expect(joined.heartbeatIntervalMs).toBeGreaterThan(0);
    expect(joined.memberEpoch).toBeGreaterThan(0);
    expect(partitionsOf(joined)).toEqual([0, 1, 2]);
    const { memberEpoch } = joined;
    const quiet = await group.beat({ memberId, memberEpoch, owned: [0, 1, 2] });
    expect(quiet).toMatchObject({ errorCode: 0, memberEpoch, assignment: null });
    expect(await group.describe()).toMatchObject({
      ...{ errorCode: 0, groupState: "Stable", assignorName: "uniform" },
      members: [{ memberId, memberEpoch, clientId: "suite", subscribedTopicNames: [topic.name], memberType: 1 }],
    });
    expect(await group.beat({ memberId, memberEpoch: -1 })).toMatchObject({ errorCode: 0, memberEpoch: -1 });
    expect(await group.describe()).toMatchObject({ errorCode: 0, groupState: "Empty", members: [] });
  }),

  kafka("partitions go from one member to the other when the first has given them up", async (cluster) => {
    const topic = await cluster.topic(4);
    const group = new ConsumerGroup(cluster, topic);
    const [first, second] = [newName(), newName()];
    const joined = await group.beat({ memberId: first, memberEpoch: 0 });
    await group.beat({ memberId: first, memberEpoch: joined.memberEpoch, owned: [0, 1, 2, 3] });
    const entered = await group.beat({ memberId: second, memberEpoch: 0 });
    expect(entered).toMatchObject({ errorCode: 0 });
    expect(partitionsOf(entered)).toEqual([]);
    const waiting = await group.beatUntil(
      { memberId: second, memberEpoch: entered.memberEpoch },
      ({ memberEpoch }) => memberEpoch > joined.memberEpoch,
    );
    expect(waiting).toMatchObject({ errorCode: 0, assignment: null });
    const revoking = await group.beatUntil(
      { memberId: first, memberEpoch: joined.memberEpoch },
      ({ assignment }) => assignment !== null,
    );
    // It stays in its epoch while it still has what it has to give up.
    expect(revoking).toMatchObject({ errorCode: 0, memberEpoch: joined.memberEpoch });
    const kept = partitionsOf(revoking) ?? [];
    expect(kept).toHaveLength(2);
    const revoked = await group.beat({ memberId: first, memberEpoch: joined.memberEpoch, owned: kept });
    expect(revoked).toMatchObject({ errorCode: 0, memberEpoch: waiting.memberEpoch });
    const given = await group.beatUntil(
      { memberId: second, memberEpoch: waiting.memberEpoch },
      ({ assignment }) => assignment !== null,
    );
    expect([...kept, ...(partitionsOf(given) ?? [])].sort()).toEqual([0, 1, 2, 3]);
    expect(await group.describe()).toMatchObject({ groupState: "Stable" });
  }),

  kafka("epochs and members that the group does not know are fenced", async (cluster) => {
    const topic = await cluster.topic(1);
    const group = new ConsumerGroup(cluster, topic);
    const memberId = newName();
    expect(await group.beat({ memberId, memberEpoch: 1 })).toMatchObject({ errorCode: code("GROUP_ID_NOT_FOUND") });
    const { memberEpoch } = await group.beat({ memberId, memberEpoch: 0 });
    const fenced = { errorCode: code("FENCED_MEMBER_EPOCH") };
    expect(await group.beat({ memberId, memberEpoch: memberEpoch + 5 })).toMatchObject(fenced);
    const stranger = await group.beat({ memberId: newName(), memberEpoch });
    expect(stranger).toMatchObject({ errorCode: code("UNKNOWN_MEMBER_ID") });
    expect(await group.commit(memberId, memberEpoch)).toBe(0);
    expect(await group.commit(memberId, memberEpoch + 1)).toBe(code("STALE_MEMBER_EPOCH"));
    expect(await group.commit("stranger", memberEpoch)).toBe(code("UNKNOWN_MEMBER_ID"));
    expect(await group.commit("", -1)).toBe(code("UNKNOWN_MEMBER_ID"));
    // A member may join anew at any time.
    expect(await group.beat({ memberId, memberEpoch: 0 })).toMatchObject({ errorCode: 0 });
  }),

  kafka("topics that match a regular expression are subscribed to", async (cluster) => {
    const topic = await cluster.topic(2);
    const group = new ConsumerGroup(cluster, topic);
    const memberId = newName();
    const invalid = await group.beat({ memberId, memberEpoch: 0, regex: "[" });
    expect(invalid).toMatchObject({ errorCode: code("INVALID_REGULAR_EXPRESSION") });
    const joined = await group.beat({ memberId, memberEpoch: 0, regex: `${topic.name.slice(0, -1)}.` });
    expect(joined).toMatchObject({ errorCode: 0 });
    // A broker matches the names of topics in the background.
    const given =
      partitionsOf(joined)?.length === 2
        ? joined
        : await group.beatUntil(
            { memberId, memberEpoch: joined.memberEpoch },
            (answer) => (partitionsOf(answer) ?? []).length > 0,
          );
    expect(partitionsOf(given)).toEqual([0, 1]);
  }),

  kafka("what a group cannot work with is refused", async (cluster) => {
    const topic = await cluster.topic(1);
    const group = new ConsumerGroup(cluster, topic);
    const memberId = newName();
    const unsupported = await group.beat({ memberId, memberEpoch: 0, assignor: "mine" });
    expect(unsupported).toMatchObject({ errorCode: code("UNSUPPORTED_ASSIGNOR") });
    const owning = await group.beat({ memberId, memberEpoch: 0, owned: [0] });
    expect(owning).toMatchObject({ errorCode: code("INVALID_REQUEST") });
    expect(await group.beat({ memberId: "", memberEpoch: 0 })).toMatchObject({ errorCode: code("INVALID_REQUEST") });
    expect(await group.describe()).toMatchObject({ errorCode: code("GROUP_ID_NOT_FOUND") });
  }),

  kafka("a static member keeps its place until it is back", async (cluster) => {
    const topic = await cluster.topic(2);
    const group = new ConsumerGroup(cluster, topic);
    const [first, second] = [newName(), newName()];
    const instanceId = "instance";
    const joined = await group.beat({ memberId: first, memberEpoch: 0, instanceId });
    const taken = await group.beat({ memberId: second, memberEpoch: 0, instanceId });
    expect(taken).toMatchObject({ errorCode: code("UNRELEASED_INSTANCE_ID") });
    const left = await group.beat({ memberId: first, memberEpoch: -2, instanceId });
    expect(left).toMatchObject({ errorCode: 0, memberEpoch: -2 });
    const back = await group.beat({ memberId: second, memberEpoch: 0, instanceId });
    expect(back).toMatchObject({ errorCode: 0, memberId: second, memberEpoch: joined.memberEpoch });
    expect(partitionsOf(back)).toEqual([0, 1]);
    const fenced = await group.beat({ memberId: first, memberEpoch: joined.memberEpoch, instanceId });
    expect(fenced).toMatchObject({ errorCode: code("FENCED_INSTANCE_ID") });
  }),

  kafka("the range assignor is there for who asks for it", async (cluster) => {
    const topic = await cluster.topic(3);
    const group = new ConsumerGroup(cluster, topic);
    const memberId = newName();
    const joined = await group.beat({ memberId, memberEpoch: 0, assignor: "range" });
    expect(partitionsOf(joined)).toEqual([0, 1, 2]);
    expect(await group.describe()).toMatchObject({ assignorName: "range" });
  }),
];
