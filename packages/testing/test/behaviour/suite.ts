import type { RawKafka } from "./raw-kafka.ts";

/** What a Kafka cluster does, shown without a client of ours. */
export interface Case {
  readonly name: string;
  readonly run: (kafka: RawKafka) => Promise<void>;
}

/** Makes a case; the name is a sentence that is true of Kafka. */
export const kafka = (name: string, run: Case["run"]): Case => ({ name, run });
