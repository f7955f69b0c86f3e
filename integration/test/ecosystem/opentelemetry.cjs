// Traces one message and one batch from the send to the handler; prints the spans, and whether handlers were in the same trace.
const { context, propagation, trace } = require("@opentelemetry/api");
const { AsyncLocalStorageContextManager } = require("@opentelemetry/context-async-hooks");
const { W3CTraceContextPropagator } = require("@opentelemetry/core");
const { KafkaJsInstrumentation } = require("@opentelemetry/instrumentation-kafkajs");
const { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } = require("@opentelemetry/sdk-trace");

const exporter = new InMemorySpanExporter();
const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
propagation.setGlobalPropagator(new W3CTraceContextPropagator());
trace.setGlobalTracerProvider(provider);
new KafkaJsInstrumentation();

// Only what is loaded from here on is instrumented.
const { Kafka, logLevel } = require("kafkajs");

const [topic] = process.argv.slice(2);

async function main() {
  const kafka = new Kafka({ brokers: process.env.KAFKA_BROKERS.split(","), logLevel: logLevel.NOTHING });
  const producer = kafka.producer();
  await producer.connect();
  const root = provider.getTracer("test").startSpan("root");
  const inRoot = trace.setSpan(context.active(), root);
  await context.with(inRoot, () => producer.send({ topic, messages: [{ value: "one" }] }));
  await context.with(inRoot, () => producer.sendBatch({ topicMessages: [{ topic, messages: [{ value: "two" }] }] }));
  root.end();
  await producer.disconnect();

  const consumer = kafka.consumer({ groupId: topic });
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  const { traceId } = root.spanContext();
  const handled = [];
  await new Promise((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    const eachMessage = async ({ message }) => {
      handled.push([String(message.value), trace.getActiveSpan()?.spanContext().traceId === traceId]);
      if (handled.length === 2) resolve();
    };
    void consumer.run({ eachMessage });
  });
  await consumer.disconnect();
  const spans = exporter.getFinishedSpans().map(({ name }) => name);
  const clusters = exporter.getFinishedSpans().map(({ attributes }) => attributes["messaging.kafka.cluster.id"]);
  console.log(JSON.stringify({ spans, handled, knowsCluster: clusters.map((id) => typeof id === "string") }));
}

void main();
