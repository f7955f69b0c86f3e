import { KafkaConsumer, KafkaProducer, string } from "odradek";
import { expect, test } from "vitest";
import { until } from "../cluster/readiness.ts";
import { javaTool } from "./java-tool.ts";
import { allIsWell, judge, type LogRecord, type SentRecord } from "./judgement.ts";
import { readLog } from "./log.ts";
import { newName } from "./opened.ts";
import { Random } from "./random.ts";
import { bootstrapServers, newTopic, opened } from "./topics.ts";
import { TransactionalWriter } from "./transactional-writer.ts";

const partitionCount = 2;
const copiedCount = 500;
/** About a batch, so that a transaction is spread over fetches. */
const fetchBytes = 600;

/** Has Java's copier copy partition 0 of a topic in many transactions, some of which it aborts and does again. */
const copy = (input: string, output: string): Promise<string[]> =>
  javaTool(
    "org.apache.kafka.tools.TransactionalMessageCopier",
    ...["--broker-list", bootstrapServers.join(), "--input-topic", input, "--input-partition", "0"],
    ...["--output-topic", output, "--transactional-id", output, "--consumer-group", output],
    ...["--transaction-size", "20", "--enable-random-aborts"],
  );

/** Reads a topic as it grows, fetch by fetch, until it is over and all that counts was read. */
class Tail {
  readonly log: LogRecord[][] = Array.from({ length: partitionCount }, () => []);
  readonly #consumer: KafkaConsumer<Uint8Array, string>;
  readonly #topic: string;
  #ends: readonly bigint[] | null = null;
  readonly #reading: Promise<void>;

  constructor(topic: string) {
    this.#topic = topic;
    this.#consumer = new KafkaConsumer({
      bootstrapServers,
      autoOffsetReset: "earliest",
      isolationLevel: "read_committed",
      maxPartitionFetchBytes: fetchBytes,
      valueDeserializer: string,
    });
    opened.push(this.#consumer);
    this.#consumer.assign(this.#partitions);
    this.#reading = this.#read();
    // Told by whoever waits for it.
    this.#reading.catch(() => {});
  }

  /** @param ends of the logs */
  finish(ends: readonly bigint[]): Promise<void> {
    this.#ends = ends;
    return this.#reading;
  }

  get #partitions() {
    return this.log.map((_, partition) => ({ topic: this.#topic, partition }));
  }

  async #read(): Promise<void> {
    for (;;) {
      const positions = await Promise.all(this.#partitions.map((each) => this.#consumer.position(each)));
      if (this.#ends?.every((end, index) => (positions[index] ?? 0n) >= end)) return;
      for (const { partition, offset, value } of await this.#consumer.poll(500)) {
        this.log[partition]?.push({ offset, value });
      }
    }
  }
}

test("a consumer sees exactly what our producers and Java's have committed, while they write, and in small fetches", async () => {
  const random = Random.ofRun();
  const [input, output] = [await newTopic(), await newTopic(partitionCount)];
  const copied = Array.from({ length: copiedCount }, (_, index): SentRecord => {
    return { writer: "java", partition: 0, value: `java-${index}`, fate: "present" };
  });
  const plain = new KafkaProducer({ bootstrapServers, valueSerializer: string });
  opened.push(plain);
  await plain.sendBatch(copied.map(({ value }) => ({ topic: input, partition: 0, value })));

  const tail = new Tail(output);
  const writers = ["first", "second"].map((name) => {
    const shared = { topic: output, partitionCount, groupId: newName(), client: { bootstrapServers }, random };
    const writer = new TransactionalWriter({ ...shared, name, transactionalId: newName() });
    opened.push(writer);
    return writer;
  });
  await copy(input, output);
  for (const writer of writers) await writer.finish();

  const sent = [...copied, ...writers.flatMap((writer) => writer.records())];
  const everything = await readLog(output, { bootstrapServers, partitionCount, isolationLevel: "read_uncommitted" });
  await using measuring = new KafkaConsumer({ bootstrapServers });
  const ends = await measuring.endOffsets(everything.map((_, partition) => ({ topic: output, partition })));
  await tail.finish(ends.map(({ offset }) => offset));
  expect(judge(sent, tail.log), `with seed ${random.seed}`).toEqual(allIsWell);
  expect(writers.flatMap(({ failures }) => failures)).toEqual([]);
  // Else there was nothing to leave out, neither of ours nor of Java's.
  const { unwanted, duplicated } = judge(sent, everything);
  expect(unwanted.length).toBeGreaterThan(0);
  expect(duplicated.filter((at) => at.startsWith("java")).length).toBeGreaterThan(0);
  for (const writer of writers) expect(writer.count("present")).toBeGreaterThan(0);
});

test.each(["commitTransaction", "abortTransaction"] as const)(
  "the end of what is committed is the first record of a transaction that is open, until it is ended by %s",
  async (end) => {
    const partition = { topic: await newTopic(), partition: 0 };
    const producer = (transactionalId?: string) => {
      const options = transactionalId === undefined ? {} : { transactionalId };
      const made = new KafkaProducer({ bootstrapServers, valueSerializer: string, ...options });
      opened.push(made);
      return made;
    };
    const consumer = (isolationLevel: "read_committed" | "read_uncommitted") => {
      const made = new KafkaConsumer({
        bootstrapServers,
        isolationLevel,
        autoOffsetReset: "earliest",
        valueDeserializer: string,
      });
      opened.push(made);
      made.assign([partition]);
      return made;
    };
    const [plain, open, other] = [producer(), producer(newName()), producer(newName())];
    for (const each of [open, other]) await each.initTransactions();
    const [committed, uncommitted] = [consumer("read_committed"), consumer("read_uncommitted")];
    const endOf = async (asked: typeof committed) => (await asked.endOffsets([partition]))[0]?.offset;

    await plain.send({ ...partition, value: "0" });
    open.beginTransaction();
    await open.send({ ...partition, value: "1" });
    await other.transaction(() => other.send({ ...partition, value: "2" }));
    await plain.send({ ...partition, value: "3" });
    // The marker of the other transaction has an offset too.
    await until("that one is ended", async () => (await endOf(uncommitted)) === 5n || "it is not");
    expect(await endOf(committed)).toBe(1n);
    // So is what `latest` begins at, what is read, and what is told of the lag.
    const latest = consumer("read_committed");
    latest.seekToEnd([partition]);
    expect(await latest.position(partition)).toBe(1n);
    expect([...(await committed.poll(60_000))].map(({ value }) => value)).toEqual(["0"]);
    expect((await committed.poll(300)).count).toBe(0);
    expect([await committed.position(partition), committed.currentLag(partition)]).toEqual([1n, 0n]);

    await open[end]();
    const seen: (string | null)[] = [];
    while ((await committed.position(partition)) < 6n) {
      for (const { value } of await committed.poll(1_000)) seen.push(value);
    }
    expect(seen).toEqual(end === "commitTransaction" ? ["1", "2", "3"] : ["2", "3"]);
    expect([await endOf(committed), await endOf(uncommitted)]).toEqual([6n, 6n]);
  },
);
