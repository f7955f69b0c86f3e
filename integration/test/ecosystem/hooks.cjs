// Replaces what the files of kafkajs export that Datadog and others know, as they do; prints what came of it.
const { Hook } = require("require-in-the-middle");

const told = [];
const wrapped =
  (factory, name) =>
  (making, ...others) => {
    told.push(`${name} made with ${others.length} other arguments`);
    return factory(making);
  };

new Hook(["kafkajs"], { internals: true }, (exported, name) => {
  if (name === "kafkajs/src/producer/index.js") return wrapped(exported, "producer");
  if (name === "kafkajs/src/consumer/index.js") return wrapped(exported, "consumer");
  if (name !== "kafkajs/src/index.js") return exported;
  return class Traced extends exported {
    constructor(options) {
      super(options);
      told.push(`${exported.name} made of ${options.brokers}`);
    }
  };
});

const { Kafka } = require("kafkajs");

const kafka = new Kafka({ brokers: ["a:1"] });
kafka.producer();
kafka.consumer({ groupId: "g" });
console.log(JSON.stringify({ name: Kafka.name, told }));
