// Registers a codec package, and sends with it; prints what was read, and what the codec was asked for.
const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = require("kafkajs");
const Snappy = require("kafkajs-snappy");

const [topic] = process.argv.slice(2);
const asked = new Set();

const register = (name, make) => {
  CompressionCodecs[CompressionTypes[name]] = () => {
    const codec = make();
    return {
      compress: (encoder) => asked.add(`${name} compress`) && codec.compress(encoder),
      decompress: (buffer) => asked.add(`${name} decompress`) && codec.decompress(buffer),
    };
  };
};

async function main() {
  register("Snappy", Snappy);
  const kafka = new Kafka({ brokers: process.env.KAFKA_BROKERS.split(","), logLevel: logLevel.NOTHING });
  const producer = kafka.producer();
  await producer.connect();
  const names = ["Snappy"];
  for (const name of names) {
    const messages = [0, 1, 2].map((index) => ({ value: `${name} ${index} ${"-".repeat(100)}` }));
    await producer.send({ topic, messages, compression: CompressionTypes[name] });
  }
  await producer.disconnect();

  const consumer = kafka.consumer({ groupId: topic });
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  const values = [];
  await new Promise((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    const eachMessage = async ({ message }) => {
      values.push(String(message.value).slice(0, -101));
      if (values.length === 3 * names.length) resolve();
    };
    void consumer.run({ eachMessage });
  });
  await consumer.disconnect();
  console.log(JSON.stringify({ values, asked: [...asked].sort() }));
}

void main();
