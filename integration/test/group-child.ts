import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { ConsumerOptions } from "odradek";
import type { TestContext } from "vitest";

const program = `
  const { KafkaConsumer, string } = require("odradek");
  const { createInterface } = require("node:readline");
  const { topic, options } = JSON.parse(process.argv[1]);
  const consumer = new KafkaConsumer({ valueDeserializer: string, ...options });
  const numbers = (partitions) => partitions.map(({ partition }) => partition).join();
  consumer.subscribe([topic], {
    onPartitionsAssigned: (partitions) => console.log("assigned " + numbers(partitions)),
    onPartitionsRevoked: (partitions) => console.log("revoked " + numbers(partitions)),
    onPartitionsLost: (partitions) => console.log("lost " + numbers(partitions)),
  });
  createInterface(process.stdin).on("line", (line) => {
    const [, blockMs] = line.split(" ");
    const untilMs = Date.now() + Number(blockMs);
    while (Date.now() < untilMs);
    console.log("unblocked");
  });
  (async () => {
    for (;;) for (const { value } of await consumer.poll(1_000)) console.log("read " + value);
  })();
`;

/** A member of a group in a process of its own, which can be killed, and whose event loop can be blocked. */
export class GroupChild {
  readonly #process: ChildProcess;
  /** What it said, line by line. */
  readonly said: string[] = [];

  /** @param context of the test, which ends it */
  constructor(topic: string, options: ConsumerOptions, { onTestFinished }: Pick<TestContext, "onTestFinished">) {
    const argument = JSON.stringify({ topic, options: { autoOffsetReset: "earliest", ...options } });
    const { pathname: cwd } = new URL(".", import.meta.url);
    this.#process = spawn(process.execPath, ["-e", program, argument], { cwd, stdio: ["pipe", "pipe", "inherit"] });
    createInterface(this.#process.stdout!).on("line", (line) => this.said.push(line));
    onTestFinished(() => this.kill());
  }

  /** The partitions that it has, as it said. */
  get owned(): string[] {
    const owned = new Set<string>();
    for (const [call, partitions = ""] of this.said.map((line) => line.split(" "))) {
      const numbers = partitions.split(",").filter(Boolean);
      if (call === "assigned") for (const number of numbers) owned.add(number);
      else if (call === "revoked" || call === "lost") for (const number of numbers) owned.delete(number);
    }
    return [...owned].sort();
  }

  /** `kill -9`. */
  kill(): void {
    this.#process.kill("SIGKILL");
  }

  /** Does nothing but be busy for so long: neither its polls nor its heartbeats. */
  block(forMs: number): void {
    this.#process.stdin?.write(`block ${forMs}\n`);
  }
}
