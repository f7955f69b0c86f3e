import { type AutoOffsetReset, KafkaConsumer, KafkaProducer, type ProducerOptions, string } from "odradek";
import { describe, expect, test } from "vitest";
import { deleteRecords } from "./deletions.ts";
import { bootstrapServers, newTopic, opened } from "./topics.ts";
import { readTrimmed } from "./trimmed-log.ts";

const minuteMs = 60_000;

/** Writes values that say how many minutes old they are, as their timestamps do, to partition 0. */
async function write(topic: string, minutes: readonly number[], options: Partial<ProducerOptions> = {}): Promise<void> {
  const producer = new KafkaProducer({ bootstrapServers, valueSerializer: string, ...options });
  opened.push(producer);
  const nowMs = Date.now();
  const records = minutes.map((age) => ({ topic, partition: 0, value: `${age}`, timestamp: nowMs - age * minuteMs }));
  // In one batch each, where they may not wait for each other.
  if (options.lingerMs === 0) for (const record of records) await producer.send(record);
  else await producer.sendBatch(records);
}

function consumerOf(topic: string, autoOffsetReset: AutoOffsetReset, options = {}) {
  const consumer = new KafkaConsumer({ bootstrapServers, autoOffsetReset, valueDeserializer: string, ...options });
  opened.push(consumer);
  consumer.assign([{ topic, partition: 0 }]);
  return consumer;
}

/** The values of the next so many records. */
async function values(consumer: ReturnType<typeof consumerOf>, count: number): Promise<(string | null)[]> {
  const seen: (string | null)[] = [];
  while (seen.length < count) for (const { value } of await consumer.poll(60_000)) seen.push(value);
  return seen;
}

/** Written in this order, which is not that of their times. */
const ages = [300, 90, 200, 30, 120, 10, 45] as const;

describe.each<readonly [how: string, options: Partial<ProducerOptions>]>([
  ["each in a batch of its own", { lingerMs: 0 }],
  ["all in one batch", {}],
  ["all in one batch that is compressed", { compressionType: "gzip" }],
])("of records whose times are mixed, %s, a consumer", (_how, options) => {
  test("begins by_duration with the first that is young enough", async () => {
    const topic = await newTopic();
    await write(topic, ages, options);
    const durations = { PT6H: 0, PT2H30M: 1, P0DT1H: 3, PT20M: 5, PT5M: 7, PT0S: 7 } as const;
    const consumers = Object.entries(durations).map(([duration, index]) => {
      return { consumer: consumerOf(topic, `by_duration:${duration}`), index };
    });
    for (const { consumer, index } of consumers) {
      expect(await consumer.position({ topic, partition: 0 })).toBe(BigInt(index));
    }
    await write(topic, [0]);
    for (const { consumer, index } of consumers) {
      expect(await values(consumer, ages.length + 1 - index)).toEqual([...ages.slice(index), 0].map(String));
    }
  });

  test("goes to a time, also back and forth, and to the end for one that is still to come", async () => {
    const topic = await newTopic();
    const partition = { topic, partition: 0 };
    await write(topic, ages, options);
    const consumer = consumerOf(topic, "latest", { maxPollRecords: 2 });
    const goTo = async (timestamp: number) => {
      const [found] = await consumer.offsetsForTimes([{ ...partition, timestamp }]);
      if (found?.offset == null) consumer.seekToEnd([partition]);
      else consumer.seek(partition, found.offset);
      return found;
    };
    for (const [age, index] of [
      [60, 3],
      [1_000, 0],
      [20, 5],
      [150, 1],
    ] as const) {
      expect(await goTo(Date.now() - age * minuteMs)).toMatchObject({ offset: BigInt(index) });
      expect(await values(consumer, 2)).toEqual(ages.slice(index, index + 2).map(String));
    }
    expect(await goTo(Date.now() + minuteMs)).toMatchObject({ offset: null, timestamp: null });
    expect(await consumer.position(partition)).toBe(BigInt(ages.length));
    await write(topic, [0]);
    expect(await values(consumer, 1)).toEqual(["0"]);
  });
});

test.each(["earliest", "latest", "by_duration:PT1H", "none"] as const)(
  "a consumer whose log loses what it was to read next goes on as autoOffsetReset says: %s",
  (policy) => readTrimmed(bootstrapServers, policy),
);

test("a group that has committed what is no more in the log begins where the log does", async () => {
  const topic = await newTopic();
  await write(topic, ages, { lingerMs: 0 });
  await deleteRecords(bootstrapServers, { topic, partition: 0 }, 4n);
  const consumer = new KafkaConsumer({
    bootstrapServers,
    groupId: topic,
    autoOffsetReset: "earliest",
    valueDeserializer: string,
  });
  opened.push(consumer);
  consumer.assign([{ topic, partition: 0 }]);
  await consumer.commitSync([{ topic, partition: 0, offset: 2 }]);
  expect(await consumer.position({ topic, partition: 0 })).toBe(2n);
  expect(await values(consumer, 3)).toEqual(ages.slice(4).map(String));
});
