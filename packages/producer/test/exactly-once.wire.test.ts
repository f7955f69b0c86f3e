import { type BrokerErrorName, type CompressionCodec, codeOf, defaultCodecs } from "@odradek/protocol";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { ManualClock } from "../../network/test/manual-clock.ts";
import type { DeliveryError } from "../src/delivery-error.ts";
import { KafkaProducer } from "../src/producer.ts";
import type { RecordMetadata } from "../src/record-metadata.ts";
import type { SendOptions } from "../src/send-options.ts";
import { ModelLog } from "./model-log.ts";
import { type ProduceCall, ScriptedBroker } from "./scripted-broker.ts";
import { soon } from "./soon.ts";

const topic = "orders";

/** What goes wrong with one request. */
type Fault =
  | { readonly kind: "none" }
  /** The connection ends; the batches were appended before, not at all, or are so later, when nobody waits for it. */
  | { readonly kind: "reset"; readonly appended: "before" | "never" | "late" }
  /** There is no answer until the client gives up. */
  | { readonly kind: "silence"; readonly appended: "before" | "never" | "late" }
  /** The answer takes a while. */
  | { readonly kind: "slow"; readonly turns: number }
  /** An error for one of its batches, or all, after a while. */
  | {
      readonly kind: "error";
      readonly name: BrokerErrorName;
      readonly appended: boolean;
      readonly partition: number;
      readonly turns: number;
    };

const before: readonly BrokerErrorName[] = [
  "NOT_LEADER_OR_FOLLOWER",
  "NOT_ENOUGH_REPLICAS",
  "KAFKA_STORAGE_ERROR",
  "UNKNOWN_TOPIC_OR_PARTITION",
  "INVALID_TIMESTAMP",
  "TOPIC_AUTHORIZATION_FAILED",
  "MESSAGE_TOO_LARGE",
  "UNKNOWN_SERVER_ERROR",
];
const after: readonly BrokerErrorName[] = [
  "NOT_LEADER_OR_FOLLOWER",
  "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
  "REQUEST_TIMED_OUT",
  "UNKNOWN_SERVER_ERROR",
];

const appended = fc.constantFrom("before", "never", "late" as const);
const fault: fc.Arbitrary<Fault> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("none" as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("reset" as const), appended }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("silence" as const), appended }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("slow" as const), turns: fc.integer({ min: 1, max: 60 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("error" as const),
      name: fc.constantFrom(...before),
      appended: fc.constant<boolean>(false),
      partition: fc.integer({ min: -1, max: 1 }),
      turns: fc.constantFrom(0, 0, 10),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("error" as const),
      name: fc.constantFrom(...after),
      appended: fc.constant<boolean>(true),
      partition: fc.integer({ min: -1, max: 1 }),
      turns: fc.constantFrom(0, 0, 10),
    }),
  },
);

const plan = fc.record({
  faults: fc.array(fault, { maxLength: 16 }),
  /** How many records are sent at a time, to which partition, and the turns of the event loop after them. */
  sends: fc.array(
    fc.record({
      count: fc.integer({ min: 1, max: 4 }),
      partition: fc.constantFrom(0, 0, 0, 1),
      settings: fc.constantFrom<SendOptions>({}, {}, { compressionType: "gzip" }, { ackTimeoutMs: 50 }),
      turns: fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 1, max: 3 }) }, fc.integer({ min: 0, max: 20 })),
    }),
    { minLength: 1, maxLength: 20 },
  ),
  /** How long the codec takes for each batch, in the background, turns of the event loop; 0 where it fails. */
  compressions: fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 8 }),
  /** Batches of more records are too large. */
  maxRecords: fc.constantFrom(2, 100, 100, 100),
  deliveryTimeoutMs: fc.constantFrom(150, 400, 5_000),
});

type Plan = typeof plan extends fc.Arbitrary<infer T> ? T : never;

/** gzip in the background. */
const slowCodec = (turnsOf: number[]): CompressionCodec => ({
  name: "gzip",
  levels: null,
  decompress: defaultCodecs.gzip.decompress,
  async compress(input) {
    const turns = turnsOf.shift() ?? 1;
    for (let count = 0; count < turns; count++) await turn();
    if (turns === 0) throw new Error("the codec fails");
    return defaultCodecs.gzip.compressSync?.(input) ?? input;
  },
});

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A leader of two partitions, and what its faults make of requests. */
class FaultyLeader {
  readonly logs = [new ModelLog(), new ModelLog()];
  /** Requests that are carried out when nobody expects it any more. */
  readonly #late: ProduceCall[] = [];
  readonly #faults: Fault[];
  readonly #maxRecords: number;

  constructor({ faults, maxRecords }: Plan) {
    this.#faults = [...faults];
    this.#maxRecords = maxRecords;
  }

  /** Never ends: answers what comes. */
  async serve(broker: ScriptedBroker): Promise<void> {
    for (;;) await this.#take(await broker.nextCall());
  }

  appendLate(): void {
    for (const call of this.#late.splice(0)) this.#append(call);
  }

  async #take(call: ProduceCall): Promise<void> {
    const fault = this.#faults.shift() ?? { kind: "none" };
    if (fault.kind === "slow" || fault.kind === "error") for (let turns = 0; turns < fault.turns; turns++) await turn();
    if (fault.kind === "reset" || fault.kind === "silence") {
      if (fault.appended === "before") this.#append(call);
      if (fault.appended === "late") this.#late.push(call);
      if (fault.kind === "reset") call.connection.reset();
      return;
    }
    this.#append(call, fault.kind === "error" ? fault : null, true);
    if (this.#faults.length % 3 === 0) this.appendLate();
  }

  #append(call: ProduceCall, error: (Fault & { readonly kind: "error" }) | null = null, isAnswered = false): void {
    const outcomes = new Map(
      call.batches.map((batch) => {
        const { partition, values } = batch;
        const failure = error !== null && (error.partition < 0 || error.partition === partition) ? error : null;
        if (values.length > this.#maxRecords) return [partition, { errorCode: codeOf("MESSAGE_TOO_LARGE") }];
        if (failure?.appended === false) return [partition, { errorCode: codeOf(failure.name) }];
        const { error: refusal, offset } = this.logs[partition]!.append(batch);
        if (refusal !== null) return [partition, { errorCode: codeOf(refusal) }];
        return [partition, failure === null ? { baseOffset: offset } : { errorCode: codeOf(failure.name) }];
      }),
    );
    if (isAnswered) call.answer(({ partition }) => outcomes.get(partition) ?? null);
  }
}

test("whatever goes wrong: what is acknowledged is in the log once and in order, and what failed is where its error says", async () => {
  await fc.assert(
    fc.asyncProperty(plan, async (given) => {
      const clock = new ManualClock();
      const broker = await ScriptedBroker.listen({ partitions: 2 });
      const leader = new FaultyLeader(given);
      void leader.serve(broker);
      const producer = new KafkaProducer(
        {
          bootstrapServers: broker.bootstrapServers,
          lingerMs: 0,
          batchSize: 400,
          retryBackoffMs: 2,
          retryBackoffMaxMs: 5,
          reconnectBackoffMs: 1,
          reconnectBackoffMaxMs: 2,
          requestTimeoutMs: 100,
          maxBlockMs: 10_000,
          deliveryTimeoutMs: given.deliveryTimeoutMs,
          compressionCodecs: { gzip: slowCodec([...given.compressions]) },
        },
        clock,
      );
      onTestFinished(() => producer.close({ timeoutMs: 0 }));
      const outcomes = new Map<string, string>();
      const sent: string[][] = [[], []];
      let open = 0;
      for (const { count, partition, settings, turns } of given.sends) {
        for (let index = 0; index < count; index++) {
          const value = `${partition}-${sent[partition]!.length}`;
          sent[partition]!.push(value);
          open += 1;
          const told = (error: DeliveryError | null, metadata: RecordMetadata | null) => {
            outcomes.set(value, error === null ? `@${metadata?.offset}` : error.persisted);
            open -= 1;
          };
          producer.send({ topic, partition, value }, told, settings);
        }
        for (let turns_ = 0; turns_ < turns; turns_++) {
          clock.advance(1);
          await turn();
        }
      }
      for (let turns = 0; open > 0; turns++) {
        if (turns > 20_000) throw new Error(`${open} records are told nothing`);
        clock.advance(1);
        await turn();
      }
      leader.appendLate();
      for (const [partition, { values }] of leader.logs.entries()) {
        expect(new Set(values).size, `none is twice in ${values}`).toBe(values.length);
        const acknowledged = sent[partition]!.filter((value) => outcomes.get(value)!.startsWith("@"));
        expect(values.filter((value) => acknowledged.includes(value))).toEqual(acknowledged);
        for (const value of acknowledged) expect(outcomes.get(value)).toBe(`@${values.indexOf(value)}`);
        for (const value of sent[partition]!) {
          if (outcomes.get(value) === "no") expect(values).not.toContain(value);
          if (outcomes.get(value) === "yes") expect(values).toContain(value);
        }
      }
      await soon(clock, producer.close({ timeoutMs: 0 }));
    }),
    { numRuns: 400, interruptAfterTimeLimit: 12_000, endOnFailure: true },
  );
}, 30_000);
