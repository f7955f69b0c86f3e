// A Nest service and a client that asks it, both over Kafka; each prints what came of it.
require("reflect-metadata");
const { Controller, Module } = require("@nestjs/common");
const { NestFactory } = require("@nestjs/core");
const { ClientKafka, MessagePattern, Payload, Transport } = require("@nestjs/microservices");
const { firstValueFrom } = require("rxjs");

const [topic] = process.argv.slice(2);
const client = { clientId: "nest", brokers: process.env.KAFKA_BROKERS.split(","), logLevel: 0 };

class Sums {
  add(numbers) {
    return { sum: numbers.reduce((sum, number) => sum + number, 0) };
  }
}
class Service {}

// What the decorators of TypeScript come down to.
Controller()(Sums);
MessagePattern(topic)(Sums.prototype, "add", Object.getOwnPropertyDescriptor(Sums.prototype, "add"));
Payload()(Sums.prototype, "add", 0);
Module({ controllers: [Sums] })(Service);

async function main() {
  const options = { client, consumer: { groupId: topic }, subscribe: { fromBeginning: true } };
  const service = await NestFactory.createMicroservice(Service, { transport: Transport.KAFKA, options, logger: false });
  await service.listen();
  const asking = new ClientKafka({ client, consumer: { groupId: `${topic}-asking` } });
  asking.subscribeToResponseOf(topic);
  await asking.connect();
  const answers = await Promise.all(
    [
      [1, 2],
      [3, 4, 5],
    ].map((numbers) => firstValueFrom(asking.send(topic, numbers))),
  );
  console.log(JSON.stringify({ answers }));
  await asking.close();
  await service.close();
}

void main();
