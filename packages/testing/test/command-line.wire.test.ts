import { KafkaAdmin } from "odradek";
import { expect, test } from "vitest";
import { runCommand } from "../src/command-line.ts";

test("the command starts what it is told, and tells of each request", async () => {
  let output = "";
  const write = (text: string) => {
    output += text;
  };
  const args = ["--brokers", "2", "--port", "0", "--topic", "orders:3", "--verbose"];
  await using cluster = await runCommand(args, write);
  const bootstrapServers = cluster?.bootstrapServers ?? [];
  expect(output).toBe(`Kafka 4.3 at ${bootstrapServers.join(",")}\n`);
  await using admin = new KafkaAdmin({ bootstrapServers, clientId: "me" });
  const [orders] = (await admin.describeTopics(["orders"])).orThrow();
  expect(orders?.partitions).toHaveLength(3);
  expect(output).toMatch(/broker [12] {2}ApiVersions v4 {2}me\n/);
});

test("arguments that cannot be are refused by name", async () => {
  const write = () => {};
  await expect(runCommand(["--version", "1.0"], write)).rejects.toThrow(/--version is 1.0/);
  await expect(runCommand(["--brokers", "none"], write)).rejects.toThrow(
    "--brokers is none; it must be a whole number",
  );
  await expect(runCommand(["--brokers", "0"], write)).rejects.toThrow(/brokers is 0; it must be .* from 1 to 100/);
  await expect(runCommand(["--topic", "orders:many"], write)).rejects.toThrow("--topic is orders:many");
  await expect(runCommand(["--what"], write)).rejects.toThrow(/--what/);
});

test("help is told, and nothing started", async () => {
  let output = "";
  const started = await runCommand(["--help"], (text) => {
    output += text;
  });
  expect(started).toBeNull();
  expect(output).toContain("--brokers");
});
