import { KafkaAdmin, KafkaProducer } from "odradek";
import { expect } from "vitest";
import { until } from "../cluster/readiness.ts";
import { committedOffset } from "./committed-offset.ts";
import { newName } from "./opened.ts";

/**
 * What transactions promise, on brokers of any release: some that are committed or aborted, with offsets; one that fails; one
 * of a producer that is fenced; and what follows each.
 *
 * @returns what counts in the end of what was written to partition 0 of the topic
 */
export async function transact(bootstrapServers: readonly string[], topic: string): Promise<string[]> {
  const [transactionalId, groupId] = [newName(), newName()];
  // The broker is to refuse what is too large.
  const options = { bootstrapServers, transactionalId, maxRequestSize: 3_000_000 };
  const by = (producer: KafkaProducer) => (value: string) => producer.send({ topic, partition: 0, value });
  const untilCommitted = (offset: bigint) =>
    until(`${groupId} has committed ${offset}`, async () => {
      const committed = await committedOffset(bootstrapServers, groupId, topic);
      return committed === offset || `it has committed ${committed}`;
    });

  await using producer = new KafkaProducer(options);
  const send = by(producer);
  await producer.initTransactions();
  // Brokers remove a group that has no offset of its own, whatever a transaction holds for it: 2.1.1 refuses with UNKNOWN_MEMBER_ID
  // what comes in that moment, and the coordinator of KIP-848 in 3.9.2 forgets what the transaction commits afterwards.
  await using admin = new KafkaAdmin({ bootstrapServers });
  (await admin.alterConsumerGroupOffsets(groupId, [{ topic, partition: 0, offset: 3 }])).orThrow();
  for (const [end, value, offset, expected] of [
    ["abortTransaction", "aborted", 5, 3n],
    ["commitTransaction", "committed", 7, 7n],
    ["abortTransaction", "aborted again", 9, 7n],
    ["commitTransaction", "committed again", 11, 11n],
  ] as const) {
    producer.beginTransaction();
    await send(value);
    await producer.sendOffsetsToTransaction([{ topic, partition: 0, offset }], groupId);
    await producer[end]();
    await untilCommitted(expected);
  }

  producer.beginTransaction();
  await send("fails later");
  const large = send("a".repeat(2_000_000));
  await expect(large).rejects.toMatchObject({ code: "MESSAGE_TOO_LARGE", persisted: "no" });
  await expect(producer.commitTransaction()).rejects.toMatchObject({ code: "MESSAGE_TOO_LARGE", abortable: true });
  await producer.abortTransaction();
  await producer.transaction(() => send("after a failure"));

  producer.beginTransaction();
  await send("fenced");
  await producer.sendOffsetsToTransaction([{ topic, partition: 0, offset: 13 }], groupId);
  await using successor = new KafkaProducer(options);
  await successor.initTransactions();
  await expect(producer.commitTransaction()).rejects.toMatchObject({
    code: expect.stringMatching(/^(PRODUCER_FENCED|INVALID_PRODUCER_EPOCH)$/),
    abortable: false,
  });
  expect(() => producer.beginTransaction()).toThrow("close this producer");
  await successor.transaction(() => by(successor)("of the successor"));
  await untilCommitted(11n);
  return ["committed", "committed again", "after a failure", "of the successor"];
}
