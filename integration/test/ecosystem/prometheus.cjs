// Has an exporter count what clients do; prints those of its metrics that have counted something.
const exporter = require("@christiangalsterer/kafkajs-prometheus-exporter");
const { Kafka, logLevel } = require("kafkajs");
const { Registry } = require("prom-client");

const [topic] = process.argv.slice(2);

async function main() {
  const register = new Registry();
  const kafka = new Kafka({ brokers: process.env.KAFKA_BROKERS.split(","), logLevel: logLevel.NOTHING });
  const [admin, producer, consumer] = [kafka.admin(), kafka.producer(), kafka.consumer({ groupId: topic })];
  exporter.monitorKafkaJSAdmin(admin, register);
  exporter.monitorKafkaJSProducer(producer, register);
  exporter.monitorKafkaJSConsumer(consumer, register);

  await admin.connect();
  await admin.listTopics();
  await producer.connect();
  await producer.send({ topic, messages: [{ value: "one" }] });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await new Promise((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    consumer.on(consumer.events.END_BATCH_PROCESS, resolve);
    void consumer.run({ eachMessage: async () => {} });
  });
  for (const client of [admin, producer, consumer]) await client.disconnect();

  const metrics = await register.getMetricsAsJSON();
  const counted = metrics.filter(({ values }) => values.some(({ value }) => value > 0)).map(({ name }) => name);
  console.log(JSON.stringify({ counted: counted.sort() }));
}

void main();
