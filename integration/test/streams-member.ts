import { randomUUID } from "node:crypto";
import { FindCoordinator } from "@odradek/protocol/messages/find-coordinator";
import {
  StreamsGroupHeartbeat,
  type StreamsGroupHeartbeatResponse,
} from "@odradek/protocol/messages/streams-group-heartbeat";
import { Wire } from "../cluster/wire.ts";
import { brokers } from "./topics.ts";

/** Where the member says that it answers queries. */
export const endpoint = { host: "127.0.0.1", port: 4_242 };

type Tasks = NonNullable<StreamsGroupHeartbeatResponse["activeTasks"]>;

/** What a member says of itself when it joins. */
const joining = (groupId: string, topic: string) => {
  const internal = (name: string, config: string) => ({
    name: `${groupId}-${name}`,
    partitions: 0,
    replicationFactor: 1,
    topicConfigs: [{ key: "cleanup.policy", value: config }],
  });
  const none: Tasks = [];
  return {
    rebalanceTimeoutMs: 10_000,
    topology: {
      epoch: 0,
      subtopologies: [
        {
          subtopologyId: "counts",
          sourceTopics: [topic],
          sourceTopicRegex: [],
          stateChangelogTopics: [internal("store-changelog", "compact")],
          repartitionSinkTopics: [],
          repartitionSourceTopics: [],
          copartitionGroups: [],
        },
      ],
    },
    activeTasks: none,
    standbyTasks: none,
    warmupTasks: none,
    processId: randomUUID(),
    userEndpoint: endpoint,
    clientTags: [{ key: "zone", value: "a" }],
  };
};

/** A member of a group of Kafka Streams that reads a topic, counts by key, and runs what it is told to. */
export class StreamsMember implements AsyncDisposable {
  readonly memberId = randomUUID();
  readonly #wire: Wire;
  readonly #groupId: string;
  #epoch = 0;
  #active: Tasks = [];

  private constructor(wire: Wire, groupId: string) {
    this.#wire = wire;
    this.#groupId = groupId;
  }

  /** @returns when it runs all tasks of the topic's partitions */
  static async join(groupId: string, topic: string, partitions: number): Promise<StreamsMember> {
    const [broker] = brokers;
    if (broker === undefined) throw new Error("there is no broker");
    using any = await Wire.open(broker);
    const { coordinators } = await any.ask(FindCoordinator, { keyType: 0, coordinatorKeys: [groupId] });
    const [coordinator] = coordinators;
    if (coordinator === undefined) throw new Error(`nobody coordinates ${groupId}`);
    const member = new StreamsMember(await Wire.open(coordinator), groupId);
    await member.#beat(joining(groupId, topic));
    while (member.#active.flatMap((tasks) => tasks.partitions).length < partitions) await member.#beat({});
    // The coordinator hears of it that they run.
    await member.#beat({});
    return member;
  }

  async leave(): Promise<void> {
    this.#epoch = -1;
    await this.#beat({});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#epoch >= 0) await this.leave();
    this.#wire.close();
  }

  async #beat(more: Partial<ReturnType<typeof joining>>): Promise<void> {
    const tasks = this.#epoch > 0 ? { activeTasks: this.#active, standbyTasks: [], warmupTasks: [] } : {};
    const answer = await this.#wire.ask(StreamsGroupHeartbeat, {
      groupId: this.#groupId,
      memberId: this.memberId,
      memberEpoch: this.#epoch,
      endpointInformationEpoch: 0,
      ...tasks,
      ...more,
    });
    if (answer.errorCode !== 0) throw new Error(`${answer.errorCode}: ${answer.errorMessage}`);
    this.#epoch = answer.memberEpoch;
    this.#active = answer.activeTasks ?? this.#active;
  }
}
