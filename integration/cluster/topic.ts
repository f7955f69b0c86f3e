import { BrokerError } from "@odradek/protocol";
import { CreateTopics } from "@odradek/protocol/messages/create-topics";
import { Metadata } from "@odradek/protocol/messages/metadata";
import { until } from "./readiness.ts";
import { type Address, ask } from "./wire.ts";

/** A topic to be. */
export interface TopicSpec {
  readonly name: string;
  /** @default 1, or one per entry of `replicas` */
  readonly partitions?: number;
  /** @default the number of brokers, up to 3 */
  readonly replicationFactor?: number;
  /** Ids of the brokers that hold each partition, its leader first; instead of `partitions` and `replicationFactor`. */
  readonly replicas?: readonly (readonly number[])[];
  readonly configs?: Readonly<Record<string, string>>;
}

/**
 * Creates a topic, and waits until each of `brokers` knows it, with all replicas in sync and the leaders asked for.
 *
 * @throws BrokerError where the controller refuses
 */
export async function createTopic(brokers: readonly Address[], topic: TopicSpec): Promise<void> {
  const { name, replicas, configs = {} } = topic;
  const partitions = replicas?.length ?? topic.partitions ?? 1;
  const replicationFactor = topic.replicationFactor ?? Math.min(3, brokers.length);
  const answer = await ask(await controllerOf(brokers), CreateTopics, {
    topics: [
      {
        name,
        numPartitions: replicas === undefined ? partitions : -1,
        replicationFactor: replicas === undefined ? replicationFactor : -1,
        assignments: (replicas ?? []).map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds })),
        configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
      },
    ],
  });
  for (const { errorCode, errorMessage } of answer.topics) {
    if (errorCode !== 0) throw new BrokerError(errorCode, `creating topic ${name}`, errorMessage);
  }
  const wanted = { name, partitions, replicationFactor, replicas };
  await Promise.all(
    brokers.map((broker) =>
      until(`topic ${name} is complete at ${broker.host}:${broker.port}`, () => look(broker, wanted)),
    ),
  );
}

/** Only the controller creates topics; with KRaft every broker passes them on to it. */
async function controllerOf(brokers: readonly Address[]): Promise<Address> {
  const [first] = brokers;
  if (first === undefined) throw new Error("no broker is running");
  const { brokers: known, controllerId } = await ask(first, Metadata, { topics: [] });
  return known.find(({ nodeId }) => nodeId === controllerId) ?? first;
}

interface WantedTopic {
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly replicas: readonly (readonly number[])[] | undefined;
}

async function look(
  broker: Address,
  { name, partitions, replicationFactor, replicas }: WantedTopic,
): Promise<true | string> {
  const { topics } = await ask(broker, Metadata, { topics: [{ name }], allowAutoTopicCreation: false });
  const known = topics[0]?.partitions ?? [];
  if (known.length < partitions) return `it knows ${known.length} of ${partitions} partitions`;
  const partial = known.find(({ partitionIndex, leaderId, isrNodes }) => {
    const asked = replicas?.[partitionIndex];
    const leads = asked === undefined ? leaderId >= 0 : leaderId === asked[0];
    return !leads || isrNodes.length < (asked?.length ?? replicationFactor);
  });
  if (partial === undefined) return true;
  return `partition ${partial.partitionIndex} is led by ${partial.leaderId}, in sync are ${partial.isrNodes.join(", ")}`;
}
