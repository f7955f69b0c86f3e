import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { delimiter } from "node:path";
import { createInterface } from "node:readline";
import { onTestFinished } from "vitest";
import { resolveJars } from "../cluster/jvm/jars.ts";
import { findJava } from "../cluster/jvm/java.ts";
import { defaultVersion } from "../cluster/versions.ts";
import { bootstrapServers } from "./topics.ts";

/** Kafka's own console consumer, as a member of a group. */
export class JavaConsumer {
  readonly #process: ChildProcess;
  /** The values that it has read. */
  readonly read: string[] = [];

  private constructor(program: string, args: readonly string[]) {
    this.#process = spawn(program, args, { stdio: ["ignore", "pipe", "ignore"] });
    createInterface(this.#process.stdout!).on("line", (line) => this.read.push(line));
    onTestFinished(() => void this.#process.kill("SIGKILL"));
  }

  /** @param properties of the consumer, by Kafka's names */
  static async start(
    topic: string,
    groupId: string,
    properties: Readonly<Record<string, string>>,
  ): Promise<JavaConsumer> {
    const { program } = await findJava();
    const classPath = await resolveJars(defaultVersion, console.log);
    const said = Object.entries({ "auto.offset.reset": "earliest", ...properties }).flatMap(([name, value]) => [
      "--command-property",
      `${name}=${value}`,
    ]);
    return new JavaConsumer(program, [
      "-Xmx256m",
      "-XX:+UseSerialGC",
      "-XX:TieredStopAtLevel=1",
      "-cp",
      classPath.join(delimiter),
      "org.apache.kafka.tools.consumer.ConsoleConsumer",
      "--bootstrap-server",
      bootstrapServers.join(),
      "--topic",
      topic,
      "--group",
      groupId,
      ...said,
    ]);
  }

  /** Has it leave its group and end. */
  async stop(): Promise<void> {
    const exited = once(this.#process, "exit");
    this.#process.kill("SIGTERM");
    await exited;
  }
}
