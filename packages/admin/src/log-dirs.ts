import { OptionReader, partitionText, type TopicPartition } from "@odradek/network";
import { BrokerError, codeOf, type KafkaError, type ResponseOf } from "@odradek/protocol";
import { AlterReplicaLogDirs } from "@odradek/protocol/messages/alter-replica-log-dirs";
import { DescribeLogDirs } from "@odradek/protocol/messages/describe-log-dirs";
import { checkedBrokerIds, checkedKeys, isInt32, isText, readPartition } from "./asking/arguments.ts";
import { topicsOf } from "./asking/by-topic.ts";
import { type AdminCallOptions, type AdminContext, Call, type Whom } from "./asking/call.ts";
import { type Answers, askAll } from "./asking/fan-out.ts";
import { toBroker } from "./asking/routing.ts";
import type { Results } from "./results.ts";

/** A replica in a log directory. Source: Kafka's `ReplicaInfo`. */
export interface LogDirReplica extends TopicPartition {
  /** Bytes of all its segments on this disk. */
  readonly size: bigint;
  /** How far its end is behind the high watermark or, for a future one, behind the current one. */
  readonly offsetLag: bigint;
  /** Whether it is being moved here from another directory of the broker. */
  readonly isFuture: boolean;
}

/** A log directory of a broker. Source: Kafka's `LogDirDescription`. */
export interface LogDirDescription {
  /** Absolute path on the broker. */
  readonly logDir: string;
  /** Such as `KAFKA_STORAGE_ERROR`, where the disk has failed. */
  readonly error: KafkaError | null;
  readonly replicas: readonly LogDirReplica[];
  /** Bytes of the volume; `null` before Kafka 3.3. */
  readonly totalBytes: bigint | null;
  /** Bytes of the volume still to be had; `null` before Kafka 3.3. */
  readonly usableBytes: bigint | null;
  /** Whether no new replicas are placed here (KIP-1066, Kafka 4.3). */
  readonly isCordoned: boolean;
}

/** A partition as one broker has it. Source: Kafka's `TopicPartitionReplica`. */
export interface TopicPartitionReplica extends TopicPartition {
  readonly brokerId: number;
}

/** In which directories a broker has a replica. Source: Kafka's `ReplicaLogDirInfo`. */
export interface ReplicaLogDir extends TopicPartitionReplica {
  /** `null` where the broker does not have it; where it has a directory that has failed, that is the error. */
  readonly currentLogDir: string | null;
  readonly currentOffsetLag: bigint | null;
  /** Where it is being moved to; `null` while it is not. */
  readonly futureLogDir: string | null;
  readonly futureOffsetLag: bigint | null;
}

export interface ReplicaLogDirAssignment extends TopicPartitionReplica {
  /** Absolute path on the broker, one of its log directories. */
  readonly logDir: string;
}

/** See `KafkaAdmin.describeLogDirs`. */
export async function describeLogDirs(
  context: AdminContext,
  given: readonly number[],
  options: AdminCallOptions,
): Promise<Results<readonly LogDirDescription[], number>> {
  const brokerIds = checkedBrokerIds("brokerIds", given);
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  reader.finish();
  return askAll(call, {
    keys: brokerIds,
    textOf: String,
    routing: toBroker((id) => id),
    ask: async (_, whom) => new Map([[String(whom), await describe(call, whom, null)]]),
  });
}

/** @param partitions `null` for all that the broker has */
async function describe(
  call: Call,
  whom: Whom,
  partitions: readonly TopicPartition[] | null,
): Promise<readonly LogDirDescription[]> {
  const topics =
    partitions === null ? null : topicsOf(partitions, (topic, all) => ({ topic, partitions: all.map(numberOf) }));
  const { errorCode, results } = await call.request(DescribeLogDirs, { topics }, whom);
  if (errorCode !== 0) throw new BrokerError(errorCode, `log directories of broker ${whom}`);
  // What brokers before Kafka 3.2 answer to who may not ask, where newer ones have an error.
  if (results.length === 0)
    throw new BrokerError(codeOf("CLUSTER_AUTHORIZATION_FAILED"), `log directories of broker ${whom}`);
  return results.map(toDescription);
}

const numberOf = ({ partition }: TopicPartition): number => partition;

type LogDirAnswer = ResponseOf<typeof DescribeLogDirs>["results"][number];

const toDescription = ({
  logDir,
  errorCode,
  topics,
  totalBytes,
  usableBytes,
  isCordoned,
}: LogDirAnswer): LogDirDescription => ({
  logDir,
  error: errorCode === 0 ? null : new BrokerError(errorCode, `log directory ${logDir}`),
  replicas: topics.flatMap(({ name: topic, partitions }) =>
    partitions.map(({ partitionIndex: partition, partitionSize: size, offsetLag, isFutureKey: isFuture }) => ({
      topic,
      partition,
      size,
      offsetLag,
      isFuture,
    })),
  ),
  totalBytes: totalBytes < 0n ? null : totalBytes,
  usableBytes: usableBytes < 0n ? null : usableBytes,
  isCordoned,
});

const replicaText = (replica: TopicPartitionReplica): string =>
  `${partitionText(replica)} on broker ${replica.brokerId}`;

/** See `KafkaAdmin.describeReplicaLogDirs`. */
export async function describeReplicaLogDirs(
  context: AdminContext,
  given: readonly TopicPartitionReplica[],
  options: AdminCallOptions,
): Promise<Results<ReplicaLogDir, TopicPartitionReplica>> {
  const replicas = checkedKeys("replicas", given, checkedReplica, replicaText);
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  reader.finish();
  return askAll(call, {
    keys: replicas,
    textOf: replicaText,
    routing: toBroker(({ brokerId }) => brokerId),
    isFinal: ({ code }) => code === "KAFKA_STORAGE_ERROR",
    ask: async (some, whom) => {
      const dirs = await describe(call, whom, some);
      const places = placesIn(dirs);
      // One that is nowhere to be seen may be in a directory that has failed.
      const failure = dirs.find(({ error }) => error !== null)?.error ?? null;
      return new Map(
        some.map((replica): [string, ReplicaLogDir | KafkaError] => {
          const isHidden = failure !== null && !places.has(partitionText(replica));
          return [replicaText(replica), isHidden ? failure : { ...replica, ...placeOf(replica, places) }];
        }),
      );
    },
  });
}

type Place = Omit<ReplicaLogDir, keyof TopicPartitionReplica>;

const nowhere: Place = { currentLogDir: null, currentOffsetLag: null, futureLogDir: null, futureOffsetLag: null };

const placeOf = (at: TopicPartition, places: ReadonlyMap<string, Place>): Place =>
  places.get(partitionText(at)) ?? nowhere;

/** Where each partition is, in whichever directories. */
function placesIn(dirs: readonly LogDirDescription[]): ReadonlyMap<string, Place> {
  const places = new Map<string, Place>();
  for (const { logDir, replicas } of dirs) {
    for (const replica of replicas) {
      const { isFuture, offsetLag } = replica;
      const place = isFuture
        ? { futureLogDir: logDir, futureOffsetLag: offsetLag }
        : { currentLogDir: logDir, currentOffsetLag: offsetLag };
      places.set(partitionText(replica), { ...placeOf(replica, places), ...place });
    }
  }
  return places;
}

const readReplica = (reader: OptionReader): TopicPartitionReplica => ({
  ...readPartition(reader),
  brokerId: reader.required("brokerId", isInt32, "the id of a broker"),
});

const checkedReplica = (given: TopicPartitionReplica, path: string): TopicPartitionReplica =>
  readReplica(new OptionReader(given, path));

/** See `KafkaAdmin.alterReplicaLogDirs`. */
export async function alterReplicaLogDirs(
  context: AdminContext,
  given: readonly ReplicaLogDirAssignment[],
  options: AdminCallOptions,
): Promise<Results<TopicPartitionReplica, TopicPartitionReplica>> {
  const assignments = checkedKeys("assignments", given, checkedAssignment, replicaText);
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  reader.finish();
  const dirOf = new Map(assignments.map((one) => [replicaText(one), one.logDir]));
  return askAll(call, {
    keys: assignments.map(({ topic, partition, brokerId }): TopicPartitionReplica => ({ topic, partition, brokerId })),
    textOf: replicaText,
    routing: toBroker(({ brokerId }) => brokerId),
    // The broker has kept the place for a replica to come, or the disk is gone: neither is otherwise a moment later.
    isFinal: ({ code }) => code === "REPLICA_NOT_AVAILABLE" || code === "KAFKA_STORAGE_ERROR",
    ask: async (replicas, whom): Promise<Answers<TopicPartitionReplica>> => {
      const paths = [...new Set(replicas.flatMap((replica) => dirOf.get(replicaText(replica)) ?? []))];
      const dirs = paths.map((path) => ({
        path,
        topics: topicsOf(
          replicas.filter((replica) => dirOf.get(replicaText(replica)) === path),
          (name, all) => ({ name, partitions: all.map(numberOf) }),
        ),
      }));
      const { results } = await call.request(AlterReplicaLogDirs, { dirs }, whom);
      return new Map(
        results.flatMap(({ topicName: topic, partitions }) =>
          partitions.map(({ partitionIndex: partition, errorCode }): [string, TopicPartitionReplica | KafkaError] => {
            const replica = { topic, partition, brokerId: Number(whom) };
            const text = replicaText(replica);
            return [text, errorCode === 0 ? replica : new BrokerError(errorCode, `moving ${text}`)];
          }),
        ),
      );
    },
  });
}

function checkedAssignment(given: ReplicaLogDirAssignment, path: string): ReplicaLogDirAssignment {
  const reader = new OptionReader(given, path);
  const assignment = { ...readReplica(reader), logDir: reader.required("logDir", isText, "a path on the broker") };
  reader.finish();
  return assignment;
}
