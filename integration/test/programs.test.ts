import { describe, expect, test } from "vitest";
import { run, runIn } from "./program.ts";

describe("programs that people run first", () => {
  test("the demo brings every record back once and in order", async () => {
    const printed = await run("integration/dist/demo.js");
    expect(printed).toMatch(/produced 10000\n/);
    expect(printed).toMatch(/checked: each of 10000 records came back once, and in order within its partition/);
  });

  test("the demo needs neither Kafka nor Java nor Docker", async () => {
    const printed = await runIn({ PATH: "/nowhere" }, "integration/dist/demo.js");
    expect(printed).toMatch(/^cluster: 3 brokers inside this process, started in \d+ ms: [\d.:,]+\n/);
    expect(printed).toMatch(/checked: each of 10000 records came back once, and in order within its partition\n$/);
  });

  test("the demo runs on Apache Kafka when it is told to, by default the one that is there", async () => {
    expect(await run("integration/dist/demo.js", "--real")).toMatch(
      /^(Kafka as KAFKA_BROKERS says, 3 brokers: \S+)\ncluster: \1\n/,
    );
  });

  test("the examples create a topic, fill it and read it", async () => {
    const topic = `examples-${process.pid}-${Date.now()}`;
    expect(await run("examples/dist/create-topic.js", topic, "3")).toBe(`${topic}: created with 3 partitions\n`);
    expect(await run("examples/dist/create-topic.js", topic, "3")).toBe(`${topic}: was there already\n`);
    expect((await run("examples/dist/produce.js", topic, "7")).trim().split("\n")).toHaveLength(7);
    const consumed = (await run("examples/dist/consume.js", topic)).trim().split("\n");
    expect(consumed).toHaveLength(7);
    expect(consumed.filter((line) => line.includes("customer-0")).map((line) => /order: (\d)/.exec(line)?.[1])).toEqual(
      ["0", "3", "6"],
    );
  });

  test("the report of a cluster names its brokers, and each topic and group with its state", async () => {
    const topic = `examples-report-${process.pid}-${Date.now()}`;
    await run("examples/dist/create-topic.js", topic, "3");
    const lines = (await run("examples/dist/cluster-report.js")).trim().split("\n");
    expect(lines[0]).toMatch(/^cluster \S+, 3 brokers$/);
    expect(lines.filter((line) => /^ {2}broker \d at \S+:\d+(?:, controller)?: [\d.]+ MiB$/.test(line))).toHaveLength(
      3,
    );
    expect(lines.filter((line) => line.startsWith(`  ${topic}: 3 partitions`))).toHaveLength(1);
    expect(lines.filter((line) => /^\d+ groups$/.test(line))).toHaveLength(1);
  });

  test("the service written for kafkajs handles what it sends", async () => {
    const topic = `examples-kafkajs-${process.pid}-${Date.now()}`;
    await run("examples/dist/create-topic.js", topic, "3");
    const lines = (await run("examples/dist/kafkajs-service.js", topic, "5")).trim().split("\n");
    expect(lines.filter((line) => line.startsWith("order ")).sort()).toEqual(
      [0, 1, 2, 3, 4].map((index) => `order ${index}`),
    );
    expect(lines.some((line) => line.startsWith(`${topic}-`) && line.endsWith(" from 0 on"))).toBe(true);
  });

  test("the examples of the producer tell every record's outcome, choose partitions and count", async () => {
    const topic = `examples-of-producer-${process.pid}-${Date.now()}`;
    await run("examples/dist/create-topic.js", topic, "3");
    expect(await run("examples/dist/callback.js", topic, "100")).toBe("100 delivered, lost: {}\n");
    const places = (await run("examples/dist/partitioner.js", topic)).trim().split("\n");
    expect(places.filter((line) => line === "largest: partition 0")).toHaveLength(2);
    expect(places.filter((line) => /^customer-\d: partition [12]$/.test(line))).toHaveLength(2);
    const counts = (await run("examples/dist/interceptors.js", topic)).trim().split("\n").sort();
    expect(counts).toEqual([`1 x ${topic}: MESSAGE_TOO_LARGE`, `2 x ${topic}: acknowledged`]);
  });

  test("the examples of transactions book all or nothing, and go on where the last one ended", async () => {
    const [orders, payments, loud] = ["orders", "payments", "loud"].map(
      (name) => `examples-${name}-${process.pid}-${Date.now()}`,
    );
    for (const topic of [orders, payments, loud]) await run("examples/dist/create-topic.js", topic!, "1");
    expect(await run("examples/dist/transactions.js", orders!, payments!)).toBe(
      "order-1: booked\norder-2: nothing was booked: nobody pays less than nothing\norder-3: booked\n",
    );
    expect(await run("examples/dist/exactly-once.js", orders!, loud!, orders!)).toMatch(/-0: up to \d+\n$/);
    expect(await run("examples/dist/exactly-once.js", orders!, loud!, orders!)).toBe("");
  });
});
