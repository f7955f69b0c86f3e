import { ClosedError, Deadline } from "@odradek/network";
import { JoinGroup } from "@odradek/protocol/messages/join-group";
import { SyncGroup } from "@odradek/protocol/messages/sync-group";
import { ConsumerInterceptors } from "../../src/consumer-interceptors.ts";
import { ConsumerLoop } from "../../src/consumer-loop.ts";
import { CompletedFetch } from "../../src/fetch/completed-fetch.ts";
import { BackgroundDecompression } from "../../src/fetch/decompression.ts";
import { FetchBuffer } from "../../src/fetch/fetch-buffer.ts";
import { InterruptibleCalls } from "../../src/interruptible-calls.ts";
import { ConsumerMetrics } from "../../src/metrics/consumer-metrics.ts";
import { Polls, type PollsCore } from "../../src/polls.ts";
import { AwaitedDeserialization } from "../../src/records/awaited-deserialization.ts";
import type { ConsumerRecord } from "../../src/records/consumer-record.ts";
import { counted } from "../log.ts";
import { measured } from "../metrics/measured.ts";
import { joined, named, synced, turn } from "./scripted-group.ts";
import { TestMember } from "./test-member.ts";

type Core = PollsCore<Uint8Array, Uint8Array>;

/** A consumer whose coordinator and brokers are the test: what it would send is there to be taken. */
export class TestConsumer {
  readonly member: TestMember;
  readonly polls: Polls<Uint8Array, Uint8Array>;
  readonly loop: ConsumerLoop;
  readonly #core: { -readonly [Key in keyof Core]: Core[Key] };
  /** What waits for something of its own. */
  readonly calls = new InterruptibleCalls();
  /** What a poll is to be told that has nothing else to give. */
  error: Error | null = null;
  readonly #background = new BackgroundDecompression(() => {});

  constructor(options: ConstructorParameters<typeof TestMember>[0] = {}) {
    const member = new TestMember(options);
    const { clock, membership, autoCommit, subscription, assignment } = member;
    const network = { send: () => Promise.reject(new Error("the test sends")), onWake: () => () => {} };
    const loop = new ConsumerLoop(network, clock, () => {
      member.isPolling = this.#core.isDone;
      if (this.#core.isDone) autoCommit.poll(clock.now());
      member.look();
      return [{ requests: [], nextMs: member.nextMs }];
    });
    member.onChange = () => loop.wake();
    this.member = member;
    this.loop = loop;
    this.#core = {
      options: member.options,
      clock,
      subscription,
      assignment,
      buffer: new FetchBuffer(assignment),
      deserialization: new AwaitedDeserialization(member.options.keyDeserializer, member.options.valueDeserializer),
      interceptors: new ConsumerInterceptors(member.options.interceptors, member.logger),
      group: { membership, autoCommit },
      metrics: new ConsumerMetrics(measured(clock).registry, clock),
      isPolling: false,
      isDone: false,
      isClosing: false,
      openToRead: () => {},
      enter: () => {},
      deadline: (timeoutMs?: number) => new Deadline(clock, timeoutMs ?? 60_000),
      wait: (deadline, signal, find) => loop.wait(deadline, signal, find),
      race: (promise, signal) => this.calls.race(promise, signal),
      throwErrorOfGroup: () => {
        const error = membership.takeError();
        if (error !== null) throw error;
      },
      throwError: () => {
        const error = membership.takeError() ?? this.error;
        this.error = null;
        if (error !== null) throw error;
      },
    };
    this.polls = new Polls(this.#core);
  }

  get isPolling(): boolean {
    return this.#core.isPolling;
  }

  /** Calls of `next` and of a loop end, and nothing more is handed out. */
  close(): void {
    this.#core.isClosing = true;
    this.calls.interrupt(new ClosedError("consumer"));
  }

  /** Lets happen what is due. */
  async settle(): Promise<void> {
    for (let rounds = 0; rounds < 6; rounds++) {
      this.loop.wake();
      await turn();
      this.member.clock.advance(0);
    }
  }

  /** Begins a poll. @returns what comes of it: values, `nothing`, or the code of an error */
  begin(timeoutMs = 0, signal?: AbortSignal): Promise<string> {
    return this.polls.next(timeoutMs, signal).then(
      (drained) => (drained === null ? "nothing" : drained.records.map(textOf).join(" ")),
      (error: unknown) => (error instanceof Error && "code" in error ? String(error.code) : String(error)),
    );
  }

  /** Polls, and says what came of it, or that it waits. */
  async poll(timeoutMs = 0): Promise<string> {
    const polling = this.begin(timeoutMs);
    await this.settle();
    return Promise.race([polling, turn().then(() => "waits")]);
  }

  /** Becomes a member that has these partitions, each at offset 0. */
  async join(names: readonly string[], generationId = 1): Promise<void> {
    await this.poll();
    this.member.take(JoinGroup).onAnswer(joined({ generationId, protocolName: null }));
    await this.settle();
    this.member.take(SyncGroup).onAnswer(synced(named(...names), { protocolName: null }));
    await this.poll();
    for (const state of this.member.assignment.partitions()) {
      if (state.position === null) state.seek({ offset: 0n, leaderEpoch: -1 });
    }
  }

  /** Records come of a partition, from its position on. @returns the bytes that they are in */
  async arrive(name: string, given: number | Buffer): Promise<Buffer> {
    const [partition = { topic: "", partition: 0 }] = named(name);
    const state = this.member.assignment.get(partition);
    const position = state.position ?? { offset: 0n, leaderEpoch: -1 };
    const isCount = typeof given === "number";
    const records = isCount ? await counted(given, { baseOffset: Number(position.offset) }) : given;
    const fetched = { state, position, records, abortedTransactions: null };
    this.#core.buffer.add(new CompletedFetch(fetched, this.member.options, this.#background, () => {}));
    return records;
  }

  offset(name: string): bigint | undefined {
    return named(name).map((partition) => this.member.assignment.find(partition)?.position?.offset)[0];
  }
}

export const textOf = ({ value }: ConsumerRecord<Uint8Array, Uint8Array>) => Buffer.from(value ?? []).toString();

/** A consumer that has `orders-0`, at offset 0. */
export async function consumerOf(
  options: ConstructorParameters<typeof TestMember>[0] = {},
  names: readonly string[] = ["orders-0"],
) {
  const consumer = new TestConsumer(options);
  await consumer.join(names);
  consumer.member.told.length = 0;
  return consumer;
}
