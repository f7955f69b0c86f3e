import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { Consumer, MessagesStreamModes, Producer, stringDeserializers, stringSerializers } from "@platformatic/kafka";
import { Kafka, logLevel } from "kafkajs";
import { javaTool, javaToolWithInput } from "./java-tool.ts";

// What @platformatic/kafka calls, and Node has since 22.
if (!("withResolvers" in Promise)) {
  const value = () => {
    const parts: { resolve?: (value: unknown) => void; reject?: (reason: unknown) => void } = {};
    const promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
    return { promise, ...parts };
  };
  Object.defineProperty(Promise, "withResolvers", { value });
}

/** A client that is not ours, as far as the tests use it. */
export interface ForeignClient {
  readonly name: string;
  produce(bootstrapServers: readonly string[], topic: string, values: readonly string[]): Promise<void>;
  /** Reads so many values from the beginning as the only member of a group, commits, and leaves. */
  consume(bootstrapServers: readonly string[], topic: string, groupId: string, count: number): Promise<string[]>;
}

const kafkajs: ForeignClient = {
  name: "kafkajs",
  async produce(bootstrapServers, topic, values) {
    const kafka = new Kafka({ brokers: [...bootstrapServers], logLevel: logLevel.NOTHING });
    const producer = kafka.producer({ idempotent: true });
    await producer.connect();
    await producer.send({ topic, messages: values.map((value) => ({ key: value, value })) });
    await producer.disconnect();
  },
  async consume(bootstrapServers, topic, groupId, count) {
    const kafka = new Kafka({ brokers: [...bootstrapServers], logLevel: logLevel.NOTHING });
    const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    const read: string[] = [];
    await new Promise<void>((resolve, reject) => {
      const eachMessage = async ({ message }: { message: { value: Buffer | null } }) => {
        read.push(String(message.value));
        if (read.length === count) resolve();
      };
      consumer.run({ eachMessage }).catch(reject);
    });
    await consumer.disconnect();
    return read;
  },
};

const platformatic: ForeignClient = {
  name: "@platformatic/kafka",
  async produce(bootstrapServers, topic, values) {
    const producer = new Producer({
      clientId: "foreign",
      bootstrapBrokers: [...bootstrapServers],
      serializers: stringSerializers,
      idempotent: true,
    });
    await producer.send({ messages: values.map((value) => ({ topic, key: value, value })) });
    await producer.close();
  },
  async consume(bootstrapServers, topic, groupId, count) {
    const consumer = new Consumer({
      clientId: "foreign",
      groupId,
      bootstrapBrokers: [...bootstrapServers],
      deserializers: stringDeserializers,
      maxWaitTime: 100,
    });
    const stream = await consumer.consume({ topics: [topic], mode: MessagesStreamModes.EARLIEST, autocommit: false });
    const read: string[] = [];
    for await (const message of stream) {
      read.push(message.value ?? "");
      await message.commit();
      if (read.length === count) break;
    }
    await consumer.close(true);
    return read;
  },
};

/** Kafka's own console tools. @param properties of the consumer, by Kafka's names */
const java = (name: string, properties: Readonly<Record<string, string>> = {}): ForeignClient => ({
  name,
  async produce(bootstrapServers, topic, values) {
    const to = ["--bootstrap-server", bootstrapServers.join(), "--topic", topic];
    const input = values.map((value) => `${value}:${value}\n`).join("");
    const keyed = ["--reader-property", "parse.key=true", "--reader-property", "key.separator=:"];
    await javaToolWithInput(input, "org.apache.kafka.tools.ConsoleProducer", ...to, ...keyed);
  },
  consume(bootstrapServers, topic, groupId, count) {
    const from = ["--bootstrap-server", bootstrapServers.join(), "--topic", topic, "--group", groupId];
    const until = ["--from-beginning", "--max-messages", `${count}`];
    const said = Object.entries(properties).flatMap(([key, value]) => ["--command-property", `${key}=${value}`]);
    return javaTool("org.apache.kafka.tools.consumer.ConsoleConsumer", ...from, ...until, ...said);
  },
});

/** librdkafka, in C. */
const kcat: ForeignClient = {
  name: "kcat",
  async produce(bootstrapServers, topic, values) {
    const args = ["-b", bootstrapServers.join(), "-P", "-t", topic, "-K", ":", "-X", "enable.idempotence=true"];
    const running = promisify(execFile)("kcat", args, { timeout: 60_000 });
    running.child.stdin?.end(values.map((value) => `${value}:${value}\n`).join(""));
    await running;
  },
  async consume(bootstrapServers, topic, groupId, count) {
    const args = [
      "-b",
      bootstrapServers.join(),
      "-q",
      "-c",
      `${count}`,
      "-X",
      "auto.offset.reset=earliest",
      "-G",
      groupId,
    ];
    const { stdout } = await promisify(execFile)("kcat", [...args, topic], { timeout: 60_000 });
    return stdout.trimEnd().split("\n");
  },
};

export const foreignClients = {
  kafkajs,
  platformatic,
  java: java("Java's console tools"),
  javaOfConsumerProtocol: java("Java's console tools, in a group of the consumer protocol", {
    "group.protocol": "consumer",
  }),
  kcat,
} as const;
