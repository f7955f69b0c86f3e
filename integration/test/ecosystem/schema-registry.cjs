// Writes and reads with Avro; a small server on the loopback stands for the registry.
const { once } = require("node:events");
const { createServer } = require("node:http");
const { SchemaRegistry, SchemaType } = require("@kafkajs/confluent-schema-registry");
const { Kafka, logLevel } = require("kafkajs");

const [topic] = process.argv.slice(2);
const schemas = [];

async function respond(request, response) {
  let body = "";
  for await (const chunk of request) body += chunk;
  const answer = (status, value) => {
    response.writeHead(status, { "content-type": "application/vnd.schemaregistry.v1+json" });
    response.end(JSON.stringify(value));
  };
  const [, id] = /^\/schemas\/ids\/(\d+)$/.exec(request.url) ?? [];
  if (id !== undefined) answer(200, { schema: schemas[id - 1] });
  else if (request.url.startsWith("/config"))
    answer(200, { compatibilityLevel: "BACKWARD", compatibility: "BACKWARD" });
  else if (request.method === "POST") answer(200, { id: schemas.push(JSON.parse(body).schema) });
  else answer(404, { error_code: 40401, message: "Subject not found" });
}

const server = createServer((request, response) => void respond(request, response));

async function main() {
  await once(server.listen(0, "127.0.0.1"), "listening");
  const registry = new SchemaRegistry({ host: `http://127.0.0.1:${server.address().port}` });
  const schema = {
    type: "record",
    name: "Order",
    namespace: "shop",
    fields: [{ name: "total", type: "int" }],
  };
  const { id } = await registry.register({ type: SchemaType.AVRO, schema: JSON.stringify(schema) });

  const kafka = new Kafka({ brokers: process.env.KAFKA_BROKERS.split(","), logLevel: logLevel.NOTHING });
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic, messages: [{ value: await registry.encode(id, { total: 7 }) }] });
  await producer.disconnect();

  const consumer = kafka.consumer({ groupId: topic });
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  const decoded = await new Promise((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    void consumer.run({ eachMessage: async ({ message }) => resolve(await registry.decode(message.value)) });
  });
  await consumer.disconnect();
  server.close();
  console.log(JSON.stringify({ id, decoded }));
}

void main();
