import { OptionReader, OptionsError, partitionText, type TopicPartition } from "@odradek/network";
import { BrokerError } from "@odradek/protocol";
import { CreatePartitions } from "@odradek/protocol/messages/create-partitions";
import { ElectLeaders, type ElectLeadersResponse } from "@odradek/protocol/messages/elect-leaders";
import { checkedKeys, checkedPartitions, isInt32, isReplicas, isText, replicasText } from "./asking/arguments.ts";
import { topicsOf } from "./asking/by-topic.ts";
import { type AdminCallOptions, type AdminContext, Call, OperationCall } from "./asking/call.ts";
import { askAll, askOne } from "./asking/fan-out.ts";
import { toController } from "./asking/routing.ts";
import { type Result, Results } from "./results.ts";
import { quotaIsFinal, type TopicChangeOptions } from "./topics.ts";

/** More partitions for a topic. Source: Kafka's `NewPartitions`. */
export interface NewPartitions {
  readonly topic: string;
  /** How many the topic is to have then, those that it has now included. */
  readonly totalCount: number;
  /** Brokers of each partition that is added, the first being its preferred leader. @default the controller chooses */
  readonly assignments?: readonly (readonly number[])[];
}

export interface CreatePartitionsOptions extends TopicChangeOptions {
  /** Only checks whether they could be created. @default false */
  readonly validateOnly?: boolean;
}

const electionTypes = { PREFERRED: 0, UNCLEAN: 1 } as const;

/** `PREFERRED`: the first of the replicas. `UNCLEAN`: one that is out of sync where none is in sync; records may be lost. */
export type ElectionType = keyof typeof electionTypes;

/** See `KafkaAdmin.createPartitions`. */
export async function createPartitions(
  context: AdminContext,
  given: readonly NewPartitions[],
  options: CreatePartitionsOptions,
): Promise<Results<string>> {
  const topics = new Map(
    checkedKeys("topics", given, checkedNewPartitions, ({ topic }) => topic).map((one) => [one.topic, one]),
  );
  const reader = new OptionReader(options);
  const call = new OperationCall(context, reader);
  const validateOnly = reader.boolean("validateOnly", false);
  const isFinal = quotaIsFinal(reader.boolean("retryOnQuotaViolation", true));
  reader.finish();
  return askAll<string, string>(call, {
    keys: [...topics.keys()],
    textOf: String,
    routing: toController(),
    isFinal,
    doneBefore: new Set(validateOnly ? [] : ["INVALID_PARTITIONS"]),
    ask: async (names, whom) => {
      const body = {
        topics: names.flatMap((name) => topics.get(name) ?? []).map(toCreatablePartitions),
        timeoutMs: call.operationTimeoutMs,
        validateOnly,
      };
      const { results } = await call.request(CreatePartitions, body, whom);
      return new Map(
        results.map(({ name, errorCode, errorMessage }): [string, string | BrokerError] => [
          name,
          errorCode === 0 ? name : new BrokerError(errorCode, `adding partitions to topic ${name}`, errorMessage),
        ]),
      );
    },
  });
}

function checkedNewPartitions(given: NewPartitions, path: string) {
  const reader = new OptionReader(given, path);
  const checked = {
    topic: reader.required("topic", isText, "the name of a topic"),
    totalCount: reader.required("totalCount", isCount, "a whole number of at least 1"),
    assignments: reader.items("assignments", null, isReplicas, replicasText),
  };
  reader.finish();
  return checked;
}

const isCount = (value: unknown): value is number => isInt32(value) && value > 0;

const toCreatablePartitions = ({ topic, totalCount, assignments }: ReturnType<typeof checkedNewPartitions>) => ({
  name: topic,
  count: totalCount,
  assignments: assignments?.map((brokerIds) => ({ brokerIds })) ?? null,
});

/** See `KafkaAdmin.electLeaders`. */
export async function electLeaders(
  context: AdminContext,
  type: ElectionType,
  given: readonly TopicPartition[] | null,
  options: AdminCallOptions,
): Promise<Results<TopicPartition, TopicPartition>> {
  if (!Object.hasOwn(electionTypes, type)) throw new OptionsError("type", type, "PREFERRED or UNCLEAN");
  const partitions = given === null ? null : checkedPartitions("partitions", given);
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  reader.finish();
  const elect = async (some: readonly TopicPartition[] | null): Promise<Election[]> => {
    const topicPartitions =
      some === null ? null : topicsOf(some, (topic, all) => ({ topic, partitions: all.map(numberOf) }));
    const electionType = electionTypes[type];
    const body = (version: number) => ({
      ...(version < electionTypesSince ? {} : { electionType }),
      topicPartitions,
      timeoutMs: call.brokerTimeoutMs,
    });
    // Brokers before Kafka 2.4 know of no other kind.
    const bounds = type === "PREFERRED" ? {} : { oldest: electionTypesSince };
    const response = await call.request(ElectLeaders, body, "controller", bounds);
    if (response.errorCode !== 0) throw new BrokerError(response.errorCode, "ElectLeaders");
    return electionsOf(response);
  };
  if (partitions === null) {
    const elections = await askOne(call, "ElectLeaders", () => elect(null), { routing: toController() });
    return new Results(elections.map(toResult), partitionText);
  }
  return askAll<TopicPartition, TopicPartition>(call, {
    keys: partitions,
    textOf: partitionText,
    routing: toController(),
    doneBefore: new Set(["ELECTION_NOT_NEEDED"]),
    ask: async (some) => new Map((await elect(some)).map(({ at, error }) => [partitionText(at), error ?? at])),
  });
}

const electionTypesSince = 1;

/** What became of one partition. */
interface Election {
  readonly at: TopicPartition;
  readonly error: BrokerError | null;
}

const electionsOf = ({ replicaElectionResults }: ElectLeadersResponse): Election[] =>
  replicaElectionResults.flatMap(({ topic, partitionResult }) =>
    partitionResult.map(({ partitionId: partition, errorCode, errorMessage }) => {
      const at = { topic, partition };
      const about = `electing the leader of ${partitionText(at)}`;
      return { at, error: errorCode === 0 ? null : new BrokerError(errorCode, about, errorMessage) };
    }),
  );

const toResult = ({ at, error }: Election): Result<TopicPartition, TopicPartition> =>
  error === null ? { key: at, value: at, error } : { key: at, value: null, error };

const numberOf = ({ partition }: TopicPartition): number => partition;
