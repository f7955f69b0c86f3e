import { type EachMessagePayload, Kafka, logLevel } from "@odradek/kafkajs";
import { bootstrapServers } from "./bootstrap-servers.ts";

/**
 * A service as it was written for kafkajs: has its topic created, sends orders, and handles them as a member of a group, until it has seen all that it sent.
 * `node dist/kafkajs-service.js orders 10`
 */
async function main(topic = "orders", count = "10"): Promise<void> {
  const kafka = new Kafka({ clientId: "billing", brokers: [...bootstrapServers], logLevel: logLevel.ERROR });
  const admin = kafka.admin();
  await admin.createTopics({ topics: [{ topic }] });
  await admin.disconnect();

  const producer = kafka.producer();
  await producer.connect();
  const messages = Array.from({ length: Number(count) }, (_, index) => ({
    key: `customer-${index % 3}`,
    value: `order ${index}`,
  }));
  const sent = await producer.send({ topic, messages });
  for (const { partition, baseOffset } of sent) console.log(`${topic}-${partition} from ${baseOffset} on`);
  await producer.disconnect();

  const consumer = kafka.consumer({ groupId: `${topic}-billing` });
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  let handled = 0;
  await new Promise<void>((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload: { error, restart } }) => {
      if (!restart) reject(error);
    });
    const eachMessage = async ({ message }: EachMessagePayload) => {
      console.log(String(message.value));
      handled += 1;
      if (handled === messages.length) resolve();
    };
    consumer.run({ eachMessage }).catch(reject);
  });
  await consumer.disconnect();
}

main(...process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
