import { expect, test } from "vitest";
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  type Admin,
  AssignerProtocol,
  CompressionTypes,
  ConfigResourceTypes,
  type Consumer,
  type ConsumerConfig,
  type EachBatchPayload,
  type EachMessagePayload,
  type GroupDescription,
  type ICustomPartitioner,
  type IHeaders,
  type ITopicConfig,
  type ITopicMetadata,
  Kafka,
  type KafkaConfig,
  KafkaJSNumberOfRetriesExceeded,
  KafkaJSProtocolError,
  type KafkaMessage,
  type LogEntry,
  type Logger,
  logLevel,
  type Message,
  Partitioners,
  type Producer,
  type ProducerRecord,
  type RecordMetadata,
  ResourcePatternTypes,
  type SeekEntry,
  type Transaction,
} from "../src/index.ts";

/** Written as services are, against the types: what of it does not compile is not compatible. */
class OldService {
  readonly #producer: Producer;
  readonly #consumer: Consumer;
  readonly #admin: Admin;
  readonly log: LogEntry[] = [];

  constructor(config: Partial<KafkaConfig>, consumerConfig: ConsumerConfig) {
    const kafka = new Kafka({
      brokers: ["localhost:9092"],
      clientId: "old",
      ssl: true,
      sasl: { mechanism: "scram-sha-512", username: "u", password: "p" },
      retry: { retries: 8, initialRetryTime: 100, restartOnFailure: async () => true },
      logLevel: logLevel.WARN,
      logCreator: () => (entry) => void this.log.push(entry),
      ...config,
    });
    const partitioner: ICustomPartitioner = () => {
      const usual = Partitioners.DefaultPartitioner();
      return (args) => (args.message.key === "big" ? 0 : usual(args));
    };
    this.#producer = kafka.producer({ idempotent: true, transactionalId: "t", createPartitioner: partitioner });
    this.#consumer = kafka.consumer(consumerConfig);
    this.#admin = kafka.admin({ retry: { retries: 0 } });
    this.#admin.on(this.#admin.events.CONNECT, ({ timestamp }) => void timestamp.toFixed());
    const logger: Logger = kafka.logger().namespace("Old", logLevel.DEBUG);
    logger.debug("ready", { since: 1 });
  }

  async send(values: readonly string[], headers: IHeaders): Promise<RecordMetadata[]> {
    const messages: Message[] = values.map((value) => ({ key: "k", value, headers, timestamp: "1" }));
    const record: ProducerRecord = { topic: "t", messages, acks: -1, timeout: 1, compression: CompressionTypes.GZIP };
    try {
      return await this.#producer.send(record);
    } catch (error) {
      if (error instanceof KafkaJSNumberOfRetriesExceeded && error.cause instanceof KafkaJSProtocolError) {
        const { type, code }: { type?: string | undefined; code?: number | undefined } = error.cause;
        this.log.push({
          namespace: "Old",
          level: logLevel.ERROR,
          label: "ERROR",
          log: { timestamp: "", message: `${type} ${code}` },
        });
      }
      throw error;
    }
  }

  async book(message: KafkaMessage): Promise<void> {
    const transaction: Transaction = await this.#producer.transaction();
    // What was read may be sent on as it is.
    await transaction.send({ topic: "t", messages: [message] });
    await transaction.sendOffsets({
      consumerGroupId: "g",
      topics: [{ topic: "t", partitions: [{ partition: 0, offset: "1" }] }],
    });
    await transaction.commit();
  }

  async prepare(topics: ITopicConfig[]): Promise<ITopicMetadata[]> {
    const isNew: boolean = await this.#admin.createTopics({ topics, waitForLeaders: true, timeout: 1_000 });
    if (!isNew) await this.#admin.createPartitions({ topicPartitions: [{ topic: "t", count: 3 }] });
    const ends: SeekEntry[] = await this.#admin.fetchTopicOffsets("t");
    await this.#admin.setOffsets({ groupId: "g", topic: "t", partitions: ends });
    const [committed] = await this.#admin.fetchOffsets({ groupId: "g", topics: ["t"] });
    const offsets: string[] = committed?.partitions.map(({ offset }) => offset) ?? [];
    const { resources } = await this.#admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: "t", configNames: ["retention.ms"] }],
    });
    const value: string | undefined = resources[0]?.configEntries[0]?.configValue;
    await this.#admin.createAcls({
      acl: [
        {
          resourceType: AclResourceTypes.TOPIC,
          resourceName: value ?? offsets.join(),
          resourcePatternType: ResourcePatternTypes.LITERAL,
          principal: "User:a",
          host: "*",
          operation: AclOperationTypes.READ,
          permissionType: AclPermissionTypes.ALLOW,
        },
      ],
    });
    return (await this.#admin.fetchTopicMetadata({ topics: topics.map(({ topic }) => topic) })).topics;
  }

  async assigned(): Promise<number[]> {
    const { members, state }: GroupDescription = await this.#consumer.describeGroup();
    if (state !== "Stable") return [];
    return members.flatMap(({ memberAssignment }) => {
      const { assignment = {} } = AssignerProtocol.MemberAssignment.decode(memberAssignment) ?? {};
      return assignment["t"] ?? [];
    });
  }

  async run(): Promise<void> {
    const remove = this.#consumer.on(this.#consumer.events.GROUP_JOIN, ({ payload }) => {
      const partitions: number[] = payload.memberAssignment["t"] ?? [];
      this.log.push({
        namespace: "",
        level: logLevel.INFO,
        label: "",
        log: { timestamp: "", message: String(partitions) },
      });
    });
    remove();
    this.#consumer.on("consumer.crash", ({ payload: { error, restart } }) => void [error.message, restart]);
    await this.#consumer.subscribe({ topics: ["t", /^t-/], fromBeginning: true });
    const eachMessage = async ({ topic, partition, message, heartbeat, pause }: EachMessagePayload) => {
      await heartbeat();
      const resume = pause();
      resume();
      await this.#consumer.commitOffsets([{ topic, partition, offset: (Number(message.offset) + 1).toString() }]);
    };
    const eachBatch = async ({
      batch,
      resolveOffset,
      isRunning,
      isStale,
      uncommittedOffsets,
      commitOffsetsIfNecessary,
    }: EachBatchPayload) => {
      for (const message of batch.messages) if (isRunning() && !isStale()) resolveOffset(message.offset);
      await commitOffsetsIfNecessary(uncommittedOffsets());
    };
    await this.#consumer.run({ autoCommit: false, partitionsConsumedConcurrently: 3, eachMessage, eachBatch });
  }
}

test("a service of old can be made, and says why it cannot send", async () => {
  const service = new OldService({ ssl: false, brokers: [] }, { groupId: "g", rackId: "r", readUncommitted: true });
  expect(service.log.map(({ log }) => log.message)).toContain("ready");
  await expect(service.send(["v"], { a: "b" })).rejects.toThrow("The producer is disconnected");
  await expect(
    service.book({ key: null, value: null, headers: {}, timestamp: "1", attributes: 0, offset: "0" }),
  ).rejects.toThrow("The producer is disconnected");
  await expect(service.prepare([])).rejects.toThrow("brokers array is empty");
  await expect(service.assigned()).rejects.toThrow("brokers array is empty");
  expect(Reflect.ownKeys(Kafka.prototype).sort()).toEqual(["admin", "constructor", "consumer", "logger", "producer"]);
  expect(Kafka.name).toBe("Client");
});

test("what tools replace may be replaced: of the class, of a client, and with no this", () => {
  class Instrumented extends Kafka {}
  const kafka = new Instrumented({ brokers: [] });
  const producer = kafka.producer();
  const consumer = kafka.consumer({ groupId: "g" });
  const { isIdempotent } = producer;
  expect(isIdempotent()).toBe(false);
  for (const [target, method] of [
    [producer, "send"],
    [consumer, "run"],
    [kafka, "producer"],
    [Kafka.prototype, "consumer"],
  ] as const) {
    const before = Object.getOwnPropertyDescriptor(target, method);
    Object.defineProperty(target, method, { value: () => "replaced", configurable: true, writable: true });
    expect(Reflect.apply(Reflect.get(target, method), undefined, [])).toBe("replaced");
    if (before !== undefined) Object.defineProperty(target, method, before);
  }
});
