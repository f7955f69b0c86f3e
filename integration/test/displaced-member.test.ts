import { KafkaConsumer, KafkaProducer } from "odradek";
import { expect, test } from "vitest";
import { bootstrapServers, newTopic, opened } from "./topics.ts";

test.each([
  ["classic", "another has its partitions"],
  ["classic", "nobody is left"],
  ["consumer", "another has its partitions"],
  ["consumer", "nobody is left"],
] as const)(
  "a member of protocol %s that has lost its place commits no offsets in a transaction: %s",
  async (groupProtocol, now) => {
    const topic = await newTopic();
    const plain = new KafkaProducer({ bootstrapServers });
    opened.push(plain);
    await plain.send({ topic, value: "once" });
    const member = (maxPollIntervalMs: number) => {
      const consumer = new KafkaConsumer({
        bootstrapServers,
        groupId: topic,
        groupProtocol,
        autoOffsetReset: "earliest",
        enableAutoCommit: false,
        maxPollIntervalMs,
      });
      opened.push(consumer);
      consumer.subscribe([topic]);
      return consumer;
    };
    const some = async (consumer: KafkaConsumer) => {
      for (;;) {
        const records = await consumer.poll(1_000);
        if (!records.isEmpty) return records;
      }
    };
    const producer = new KafkaProducer({ bootstrapServers, transactionalId: topic });
    opened.push(producer);
    await producer.initTransactions();

    const slow = member(1_000);
    const records = await some(slow);
    // It gets them when the other one has left, which does not poll any more.
    const next = member(60_000);
    await some(next);
    if (now === "nobody is left") await next.close();
    const late = producer.transaction(() =>
      producer.sendOffsetsToTransaction(records.nextOffsets(), slow.groupMetadata()),
    );
    await expect(late).rejects.toMatchObject({
      code: expect.stringMatching(/UNKNOWN_MEMBER_ID|ILLEGAL_GENERATION|STALE_MEMBER_EPOCH/),
    });
  },
);
