import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { DescribeTransactions } from "@odradek/protocol/messages/describe-transactions";
import { KafkaProducer, string } from "odradek";
import { afterAll, describe, expect, type TestContext, test } from "vitest";
import { until } from "../cluster/readiness.ts";
import { ask } from "../cluster/wire.ts";
import { allIsWell, judge, type SentRecord } from "./judgement.ts";
import { readLog } from "./log.ts";
import { Random } from "./random.ts";
import { bootstrapServers, newTopic } from "./topics.ts";

const partitionCount = 4;
/** How many records there are for an instance to go on with, in each partition. */
const ahead = 1_000;
const program = fileURLToPath(new URL("../../examples/dist/exactly-once.js", import.meta.url));
const refused = /ILLEGAL_GENERATION|UNKNOWN_MEMBER_ID|INVALID_PRODUCER_EPOCH|PRODUCER_FENCED/;

const producer = new KafkaProducer({ bootstrapServers, valueSerializer: string });
afterAll(() => producer.close());

/** A topic that is filled as fast as it is read, by a group of the same name. */
class Input {
  readonly topic: string;
  readonly sent: SentRecord[] = [];
  isOver = false;
  /** Whether all of it is written: who ends before may not have seen its end. */
  isComplete = false;
  /** By partition, as are those that are done with. */
  readonly #written = Array.from({ length: partitionCount }, () => 0);
  readonly #done = Array.from({ length: partitionCount }, () => 0);
  #filling: Promise<unknown> = Promise.resolve();

  constructor(topic: string) {
    this.topic = topic;
  }

  done(partition: number, next: number): void {
    this.#done[partition] = Math.max(next, this.#done[partition] ?? 0);
    void this.fill();
  }

  /** Resolves when there is enough again. */
  fill(): Promise<unknown> {
    const records = this.#written.flatMap((written, partition) => {
      const count = this.isOver ? 0 : Math.max(0, ahead + (this.#done[partition] ?? 0) - written);
      this.#written[partition] = written + count;
      return Array.from({ length: count }, (_, index) => ({ partition, value: `p${partition}-${written + index}` }));
    });
    for (const { partition, value } of records) {
      this.sent.push({ writer: "input", partition, value: value.toUpperCase(), fate: "present" });
    }
    const sending = producer.sendBatch(records.map((record) => ({ topic: this.topic, ...record })));
    this.#filling = Promise.all([this.#filling, sending]);
    return this.#filling;
  }
}

/** One process of the example. */
class Instance {
  /** Its code, and the signal that ended it. */
  readonly exit: Promise<unknown[]>;
  /** The partitions in which it has committed, each time. */
  readonly commits: number[] = [];
  errors = "";
  /** Whether all of the input was there for it to read. */
  readonly hasAll: boolean;
  readonly #process: ChildProcess;

  constructor(input: Input, output: string, number: number) {
    this.hasAll = input.isComplete;
    const child = spawn(process.execPath, [program, input.topic, output, input.topic, `${number}`], {
      env: { ...process.env, BOOTSTRAP_SERVERS: bootstrapServers.join(",") },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#process = child;
    this.exit = once(child, "close");
    child.stderr.on("data", (data: Buffer) => {
      this.errors += String(data);
    });
    createInterface(child.stdout).on("line", (line) => {
      const [, partition, next] = /-(\d+): up to (\d+)$/.exec(line) ?? [];
      this.commits.push(Number(partition));
      input.done(Number(partition), Number(next));
    });
  }

  signal(signal: "SIGKILL" | "SIGTERM" | "SIGSTOP" | "SIGCONT"): void {
    this.#process.kill(signal);
  }
}

/** Has the same number run again and again, as a supervisor does, until the input is over and read. */
class Supervised {
  readonly transactionalId: string;
  now: Instance;
  readonly finished: Promise<void>;
  readonly #output: string;
  readonly #start: () => Instance;

  constructor(input: Input, output: string, number: number, start: () => Instance) {
    this.#output = output;
    this.transactionalId = `${input.topic}-${number}`;
    this.#start = start;
    this.now = start();
    this.finished = this.#supervise();
  }

  /** Waits until the one that runs now has committed so often. */
  works(count: number): Promise<void> {
    const ofNow = () => this.now.commits.length;
    return until(
      `${this.transactionalId} has committed ${count} times`,
      async () => ofNow() >= count || `it has ${ofNow()}: ${this.now.errors}`,
    );
  }

  /** Freezes it when its transaction has records, and no offsets yet. */
  async freeze(): Promise<Instance> {
    for (;;) {
      const zombie = this.now;
      zombie.signal("SIGSTOP");
      // What it sent last may be on its way still.
      if ((await this.#hasRecordsOnly()) && (await this.#hasRecordsOnly())) return zombie;
      const { length } = zombie.commits;
      zombie.signal("SIGCONT");
      await this.works(length + 1);
    }
  }

  /** Lets go of the one that runs now, and starts another under the same number. */
  replace(): void {
    this.now = this.#start();
  }

  async #supervise(): Promise<void> {
    for (let failures = 0; failures < 3; ) {
      const ended = this.now;
      const [code] = await ended.exit;
      if (ended !== this.now) continue;
      if (ended.hasAll && code === 0) return;
      // Once for a zombie that is fenced.
      if (code === 1) failures += 1;
      this.now = this.#start();
    }
    throw new Error(`${this.transactionalId} fails again and again`);
  }

  /** How its coordinator sees its transaction. Offsets would have others wait until it is over. */
  async #hasRecordsOnly(): Promise<boolean> {
    for (const server of bootstrapServers) {
      const [host = "", port] = server.split(":");
      const body = { transactionalIds: [this.transactionalId] };
      const { transactionStates } = await ask({ host, port: Number(port) }, DescribeTransactions, body);
      const found = transactionStates.find(({ errorCode }) => errorCode === 0);
      if (found === undefined) continue;
      return found.transactionState === "Ongoing" && found.topics.every(({ topic }) => topic === this.#output);
    }
    return false;
  }
}

async function pipeline({ onTestFinished }: Pick<TestContext, "onTestFinished">) {
  const input = new Input(await newTopic(partitionCount));
  const output = await newTopic(partitionCount);
  await input.fill();
  const start = (number: number) => {
    const instance = new Instance(input, output, number);
    onTestFinished(() => instance.signal("SIGKILL"));
    return instance;
  };
  const instances = [1, 2].map((number) => new Supervised(input, output, number, () => start(number)));
  /** Has all be read, and looks at what came of it. */
  const finish = async () => {
    input.isOver = true;
    await input.fill();
    input.isComplete = true;
    await Promise.all(instances.map(({ finished }) => finished));
    const log = await readLog(output, { bootstrapServers, partitionCount });
    expect(judge(input.sent, log)).toEqual(allIsWell);
    expect(log.flat().length).toBe(input.sent.length);
  };
  return { input, output, instances, finish };
}

const allPartitions = Array.from({ length: partitionCount }, (_, partition) => partition);

/** Waits until one has committed in all partitions from here on. */
function takesOver(other: Supervised): Promise<void> {
  const { length } = other.now.commits;
  const { now } = other;
  return until(`${other.transactionalId} has all partitions`, async () => {
    const commits = other.now === now ? now.commits.slice(length) : other.now.commits;
    const own = new Set(commits);
    return allPartitions.every((partition) => own.has(partition)) || `it has ${[...own]}: ${other.now.errors}`;
  });
}

// Each waits for sessions to be over, most of its time.
describe.concurrent("the example of exactly once", () => {
  test("what a group makes of records is there once and in order, whenever its members are killed or end", async (context) => {
    const random = Random.ofRun();
    const { instances, finish } = await pipeline(context);
    for (const signal of random.shuffled(["SIGKILL", "SIGKILL", "SIGKILL", "SIGKILL", "SIGTERM"] as const)) {
      const victim = instances[random.below(instances.length)]!;
      // Both are at work, so that what is interrupted is a group's.
      await Promise.all(instances.map((instance) => instance.works(1)));
      await victim.works(victim.now.commits.length + 1 + random.below(10));
      await sleep(random.below(30));
      const { now } = victim;
      now.signal(signal);
      expect(await now.exit).toEqual(signal === "SIGTERM" ? [0, null] : [null, signal]);
    }
    await finish();
  });

  test.for([
    ["another member has its partitions", false],
    ["another process has its number", true],
  ] as const)(
    "a member that was frozen in a transaction adds nothing when it goes on: %s",
    async ([, isReplaced], context) => {
      const random = Random.ofRun();
      const { instances, finish } = await pipeline(context);
      const [frozen, other] = random.shuffled(instances);
      await Promise.all(instances.map((instance) => instance.works(3 + random.below(10))));
      const zombie = await frozen!.freeze();
      if (isReplaced) {
        frozen!.replace();
        await Promise.all([frozen!.works(3), other!.works(other!.now.commits.length + 3)]);
      } else {
        await takesOver(other!);
      }
      const { length } = zombie.commits;
      zombie.signal("SIGCONT");
      await until("the zombie is refused", async () => refused.test(zombie.errors) || `it says: ${zombie.errors}`);
      if (isReplaced) {
        expect(await zombie.exit).toEqual([1, null]);
        expect(zombie.commits.length).toBe(length);
      }
      await finish();
    },
  );
});
