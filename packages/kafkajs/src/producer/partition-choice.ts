import type { PartitionSnapshot } from "odradek";
import { partitionMetadataOf } from "../client/partition-metadata.ts";
import { environment } from "../environment.ts";
import type { Logger } from "../logger.ts";
import type { ICustomPartitioner, PartitionMetadata } from "../partitioners/partitioner.ts";
import { Partitioners } from "../partitioners/partitioners.ts";
import type { Message } from "./message.ts";

let isWarned = false;

/** The partitioner of one producer, asked once for each message: what is sent again stays in its partition. */
export class PartitionChoice {
  readonly #partitioner: ReturnType<ICustomPartitioner>;
  /** Partitions as partitioners see them, made once for each state of the metadata. */
  readonly #seen = new WeakMap<readonly PartitionSnapshot[], PartitionMetadata[]>();

  constructor(createPartitioner: ICustomPartitioner | null, logger: Logger) {
    if (createPartitioner === null && !isWarned && environment("KAFKAJS_NO_PARTITIONER_WARNING") === null) {
      isWarned = true;
      logger.warn(
        "Keys go where the Java client puts them. Where kafkajs 1.x wrote the topics before, set createPartitioner to " +
          "Partitioners.LegacyPartitioner; KAFKAJS_NO_PARTITIONER_WARNING=1 silences this warning",
      );
    }
    this.#partitioner = (createPartitioner ?? Partitioners.DefaultPartitioner)();
  }

  /** @throws what the partitioner throws */
  partitionOf(topic: string, partitions: readonly PartitionSnapshot[], message: Message): number {
    let partitionMetadata = this.#seen.get(partitions);
    if (partitionMetadata === undefined) {
      partitionMetadata = partitions.map(partitionMetadataOf);
      this.#seen.set(partitions, partitionMetadata);
    }
    // A partitioner may have taken it from a text.
    return Number(this.#partitioner({ topic, partitionMetadata, message }));
  }
}
