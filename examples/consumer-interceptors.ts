import {
  type ConsumerInterceptor,
  type ConsumerRecords,
  KafkaConsumer,
  RecordDeserializationError,
  string,
} from "odradek";
import { bootstrapServers } from "./bootstrap-servers.ts";
import { isCaughtUp } from "./caught-up.ts";

interface Order {
  readonly order: number;
}

/** Stands for a schema registry, which has to be asked over the network. */
async function orderOf(bytes: Buffer): Promise<Order> {
  await new Promise((resolve) => setImmediate(resolve));
  const read: unknown = JSON.parse(bytes.toString());
  if (typeof read === "object" && read !== null && "order" in read && typeof read.order === "number") {
    return { order: read.order };
  }
  throw new Error("it is no order");
}

/** Leaves out what belongs to nobody: the application never sees it, and it counts as done with. */
const ofCustomers: ConsumerInterceptor<string, Order> = {
  onConsume: (records) => records.filter(({ key }) => key !== null),
};

/** Counts what came in and how far it was committed. */
class Counting implements ConsumerInterceptor<string, Order> {
  #count = 0;
  readonly #committed = new Map<string, bigint>();

  onConsume(records: ConsumerRecords<string, Order>): ConsumerRecords<string, Order> {
    this.#count += records.count;
    return records;
  }

  onCommit: NonNullable<ConsumerInterceptor["onCommit"]> = (offsets) => {
    for (const { topic, partition, offset } of offsets) this.#committed.set(`${topic}-${partition}`, offset);
  };

  close(): void {
    const committed = [...this.#committed].map(([partition, offset]) => `${partition} up to ${offset}`);
    console.log(`${this.#count} records, committed: ${committed.sort().join(", ")}`);
  }
}

/**
 * Reads all that is new to a group, with a deserializer that gives promises: `node dist/consumer-interceptors.js orders billing`. A record
 * that cannot be read is told of, and stops nobody.
 */
async function main(topic = "orders", groupId = "billing"): Promise<void> {
  await using consumer = new KafkaConsumer({
    bootstrapServers,
    groupId,
    autoOffsetReset: "earliest",
    keyDeserializer: string,
    valueDeserializer: orderOf,
    interceptors: [ofCustomers, new Counting()],
  });
  consumer.subscribe([topic]);
  while (!isCaughtUp(consumer)) {
    for (const record of await consumer.poll(1_000)) {
      try {
        console.log(`${record.key}: order ${record.value?.order}`);
      } catch (error) {
        if (!(error instanceof RecordDeserializationError)) throw error;
        console.log(`${error.message}: ${error.bytes.toString()}`);
      }
    }
  }
}

main(...process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
