import { OptionReader, OptionsError } from "@odradek/network";
import { checkedKeys, isReplicas, isText, readConfigs, replicasText } from "./asking/arguments.ts";

/** A topic to be. */
export interface NewTopic {
  readonly topic: string;
  /** How many partitions. @default what the broker is configured with (KIP-464); before Kafka 2.4 it must be given */
  readonly numPartitions?: number;
  /** How many copies of each partition. @default what the broker is configured with; before Kafka 2.4 it must be given */
  readonly replicationFactor?: number;
  /** Brokers of each partition, the first being its preferred leader; instead of the two counts. */
  readonly assignments?: readonly (readonly number[])[];
  /** The topic's own configuration, such as `{ "cleanup.policy": "compact" }`; `null` means the broker's default. */
  readonly configs?: Readonly<Record<string, string | null>>;
}

/** The same, complete. */
export interface ResolvedNewTopic {
  readonly topic: string;
  readonly numPartitions: number;
  readonly replicationFactor: number;
  readonly assignments: readonly (readonly number[])[];
  readonly configs: Readonly<Record<string, string | null>>;
}

/** What a broker reads as "not given". */
const notGiven = -1;

const maxInt32 = 0x7fff_ffff;
const maxInt16 = 0x7fff;

/** Whether nothing of it is left to the broker's configuration. */
export const isComplete = ({ numPartitions, replicationFactor, assignments }: ResolvedNewTopic): boolean =>
  assignments.length > 0 || (numPartitions !== notGiven && replicationFactor !== notGiven);

/** @throws OptionsError for topics that no broker would take, naming which of them, the field, and what is allowed */
export function resolveNewTopics(given: readonly NewTopic[]): readonly ResolvedNewTopic[] {
  return checkedKeys("topics", given, resolveNewTopic, ({ topic }) => topic);
}

function resolveNewTopic(given: NewTopic, path: string): ResolvedNewTopic {
  const reader = new OptionReader(given, path);
  const hasCounts = reader.has("numPartitions") || reader.has("replicationFactor");
  if (reader.has("assignments") && hasCounts) {
    throw new OptionsError(
      `${path}.assignments`,
      given.assignments,
      "nothing beside numPartitions and replicationFactor",
    );
  }
  const resolved = {
    topic: reader.required("topic", isText, "the name of a topic"),
    numPartitions: reader.has("numPartitions") ? reader.integer("numPartitions", 1, 1, maxInt32) : notGiven,
    replicationFactor: reader.has("replicationFactor") ? reader.integer("replicationFactor", 1, 1, maxInt16) : notGiven,
    assignments: reader.items("assignments", [], isReplicas, replicasText),
    configs: readConfigs(reader, {}),
  };
  reader.finish();
  return Object.freeze(resolved);
}
