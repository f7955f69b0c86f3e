import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { ClientOptions } from "odradek";
import { until } from "../cluster/readiness.ts";
import type { SentRecord } from "./judgement.ts";

const program = `
  const { KafkaProducer } = require("odradek");
  const { topic, partitionCount, name, recordCount, ...options } = JSON.parse(process.argv[1]);
  const producer = new KafkaProducer({ ...options, lingerMs: 0 });
  (async () => {
    await producer.initTransactions();
    for (let number = 0; ; number++) {
      console.log("began", number);
      producer.beginTransaction();
      for (let index = 0; index < recordCount; index++) {
        const value = [name, number, index].join("-");
        producer.send({ topic, partition: index % partitionCount, value }, () => {});
        if (index % 2 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
      }
      await producer.commitTransaction();
      console.log("committed", number);
    }
  })().catch(async (error) => {
    const afterwards = await producer.abortTransaction().then(() => "aborted", ({ code }) => code);
    console.log("ended", error.code, afterwards);
    await producer.close();
  });
`;

/** In each transaction. */
const recordCount = 10;

export interface ZombieOptions {
  readonly transactionalId: string;
  readonly topic: string;
  readonly partitionCount: number;
  /** Of this one, among all that use the id. */
  readonly name: string;
  readonly client: ClientOptions;
}

/** A process with transaction after transaction, which is frozen in the middle of whatever it does. */
export class Zombie implements Disposable {
  readonly #options: ZombieOptions;
  readonly #process: ChildProcess;
  readonly #exit: Promise<unknown>;
  readonly #lines: string[][] = [];

  constructor(options: ZombieOptions) {
    this.#options = options;
    const { client, ...rest } = options;
    const { pathname: cwd } = new URL(".", import.meta.url);
    const args = ["-e", program, JSON.stringify({ ...client, ...rest, recordCount })];
    this.#process = spawn(process.execPath, args, { cwd, stdio: ["ignore", "pipe", "inherit"] });
    this.#exit = once(this.#process, "close");
    createInterface(this.#process.stdout!).on("line", (line) => this.#lines.push(line.split(" ")));
  }

  /** Waits until it has committed and is in a transaction again. */
  async works(): Promise<void> {
    await until(`${this.#options.name} works`, async () => {
      const [committed, began] = [this.#numbers("committed").length, this.#numbers("began").length];
      return (committed > 1 && began > committed) || `${committed} of ${began} transactions are committed`;
    });
  }

  freeze(): void {
    this.#process.kill("SIGSTOP");
  }

  /** Has it go on, until it is told that it is not wanted any more. @returns the codes of what it was told then */
  async thaw(): Promise<string[]> {
    this.#process.kill("SIGCONT");
    await this.#exit;
    return this.#lines.findLast(([what]) => what === "ended")?.slice(1) ?? [];
  }

  /** In the order of sending. That of its last transaction may count: it was frozen before it could tell. */
  records(): SentRecord[] {
    const { transactionalId: writer, name, partitionCount } = this.#options;
    const committed = new Set(this.#numbers("committed"));
    return this.#numbers("began").flatMap((number) =>
      Array.from({ length: recordCount }, (_, index) => ({
        writer,
        partition: index % partitionCount,
        value: `${name}-${number}-${index}`,
        fate: committed.has(number) ? "present" : "either",
        transaction: `${name}.${number}`,
      })),
    );
  }

  [Symbol.dispose](): void {
    this.#process.kill("SIGKILL");
  }

  #numbers(what: string): (string | undefined)[] {
    return this.#lines.filter(([first]) => first === what).map(([, number]) => number);
  }
}
