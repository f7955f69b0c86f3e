import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ScratchProject } from "./ecosystem/project.ts";
import { bootstrapServers, newTopic } from "./topics.ts";

/** Programs as people write them around kafkajs, in a project that has this package in its place. */
describe("what people use with kafkajs", () => {
  let project: ScratchProject;

  beforeAll(async () => {
    project = await ScratchProject.create();
  });

  afterAll(() => project?.remove());

  test("Nest's microservices ask and answer over it", async () => {
    const topic = await newTopic();
    await newTopic(1, {}, `${topic}.reply`);
    expect(await project.run("nest.cjs", topic, bootstrapServers)).toEqual({ answers: [{ sum: 3 }, { sum: 12 }] });
  });

  test("OpenTelemetry's instrumentation traces a message from the send to the handler", async () => {
    const topic = await newTopic();
    expect(await project.run("opentelemetry.cjs", topic, bootstrapServers)).toMatchObject({
      spans: [`send ${topic}`, `send ${topic}`, "root", `process ${topic}`, `process ${topic}`],
      handled: [
        ["one", true],
        ["two", true],
      ],
      // All but the root, which is of no client.
      knowsCluster: [true, true, false, true, true],
    });
  });

  test("what instruments it by its files finds them, and gets its class and factories used", async () => {
    expect(await project.run("hooks.cjs", "", bootstrapServers)).toEqual({
      name: "Traced",
      told: ["Client made of a:1", "producer made with 0 other arguments", "consumer made with 0 other arguments"],
    });
  });

  test("Confluent's schema registry encodes and decodes what it carries", async () => {
    const topic = await newTopic();
    expect(await project.run("schema-registry.cjs", topic, bootstrapServers)).toEqual({ id: 1, decoded: { total: 7 } });
  });

  test("the exporter for Prometheus counts what each client tells", async () => {
    const topic = await newTopic();
    expect(await project.run("prometheus.cjs", topic, bootstrapServers)).toEqual({
      counted: expect.arrayContaining([
        "kafka_admin_connection_creation_total",
        "kafka_admin_request_total",
        "kafka_consumer_batch_size_total",
        "kafka_consumer_connection_creation_total",
        "kafka_consumer_fetch_total",
        "kafka_consumer_request_total",
        "kafka_producer_connection_creation_total",
        "kafka_producer_request_duration_seconds",
        "kafka_producer_request_total",
      ]),
    });
  });

  test("a codec package that is registered goes before what is built in", async () => {
    const topic = await newTopic();
    expect(await project.run("codecs.cjs", topic, bootstrapServers)).toEqual({
      values: ["Snappy 0", "Snappy 1", "Snappy 2"],
      asked: ["Snappy compress", "Snappy decompress"],
    });
  });
});
