import { KafkaProducer, type ProducerInterceptor, string } from "odradek";
import { bootstrapServers } from "./bootstrap-servers.ts";

/** Gives every record a header with the time at which it was sent. */
const stamping: ProducerInterceptor<string, string> = {
  onSend: (record) => ({
    ...record,
    headers: [...(record.headers ?? []), { key: "sent-at", value: new Date().toISOString() }],
  }),
};

/** Counts what became of records, also of those that failed before they were sent. */
class Counting implements ProducerInterceptor<string, string> {
  readonly #counts = new Map<string, number>();

  onAcknowledgement: NonNullable<ProducerInterceptor["onAcknowledgement"]> = ({ topic }, error) => {
    const outcome = `${topic}: ${error === null ? "acknowledged" : error.code}`;
    this.#counts.set(outcome, (this.#counts.get(outcome) ?? 0) + 1);
  };

  close(): void {
    for (const [outcome, count] of this.#counts) console.log(`${count} x ${outcome}`);
  }
}

/** Sends a few records, one of which is too large: `node dist/interceptors.js orders`. */
async function main(topic = "orders"): Promise<void> {
  await using producer = new KafkaProducer({
    bootstrapServers,
    keySerializer: string,
    valueSerializer: string,
    interceptors: [stamping, new Counting()],
  });
  const values = ["small", "smaller", "large".repeat(1_000_000)];
  await Promise.allSettled(values.map((value) => producer.send({ topic, value })));
}

main(...process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
