import {
  type ConsumerOptions,
  KafkaConsumer,
  type SubscriptionPattern,
  string,
  type TopicPartition,
  WakeupError,
} from "odradek";
import { bootstrapServers } from "./topics.ts";

const textOf = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`;

/** Who reads what, as the members of a group say themselves, and what each record was read by. */
export class GroupLedger {
  readonly #owners = new Map<string, string>();
  /** What must never be: two owners at once, or a record twice while its partition stayed with its owner. */
  readonly wrongs: string[] = [];
  /** How often each value was read. */
  readonly read = new Map<string, number>();
  /** The last offset that the owner of each partition has read since it got it. */
  readonly #offsets = new Map<string, bigint>();

  got(member: string, partitions: readonly TopicPartition[]): void {
    for (const key of partitions.map(textOf)) {
      const owner = this.#owners.get(key);
      if (owner !== undefined) this.wrongs.push(`${member} got ${key}, which is ${owner}'s`);
      this.#owners.set(key, member);
    }
  }

  gave(member: string, partitions: readonly TopicPartition[]): void {
    for (const key of partitions.map(textOf)) {
      if (this.#owners.get(key) !== member) this.wrongs.push(`${member} gave up ${key}, which is not its`);
      this.#owners.delete(key);
      this.#offsets.delete(key);
    }
  }

  saw(
    member: string,
    { topic, partition, offset, value }: TopicPartition & { offset: bigint; value: string | null },
  ): void {
    const key = textOf({ topic, partition });
    if (this.#owners.get(key) !== member) this.wrongs.push(`${member} read ${key}@${offset}, which is not its`);
    if (offset <= (this.#offsets.get(key) ?? -1n)) this.wrongs.push(`${member} read ${key}@${offset} again`);
    this.#offsets.set(key, offset);
    this.read.set(value ?? "", (this.read.get(value ?? "") ?? 0) + 1);
  }

  /** How many partitions each member owns, the fewest first. */
  shares(members: readonly { readonly name: string }[]): number[] {
    const owners = [...this.#owners.values()];
    return members.map(({ name }) => owners.filter((owner) => owner === name).length).sort((one, other) => one - other);
  }
}

export interface MemberOptions extends Partial<ConsumerOptions<string, string>> {
  readonly groupId: string;
}

/** A member of a group that polls all the time, and writes down what it is given and what it reads. */
export class Member implements AsyncDisposable {
  readonly name: string;
  readonly consumer: KafkaConsumer<string, string>;
  /** The calls of its listener, such as `assigned 0,1`. */
  readonly calls: string[] = [];
  /** Why it stopped by itself. */
  error: unknown = null;
  readonly #ledger: GroupLedger;
  #polling: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(
    name: string,
    topics: readonly string[] | RegExp | SubscriptionPattern,
    ledger: GroupLedger,
    options: MemberOptions,
  ) {
    this.name = name;
    this.#ledger = ledger;
    this.consumer = new KafkaConsumer({
      bootstrapServers,
      autoOffsetReset: "earliest",
      ...(options.groupProtocol === "consumer" ? {} : { heartbeatIntervalMs: 200, sessionTimeoutMs: 10_000 }),
      keyDeserializer: string,
      valueDeserializer: string,
      ...options,
    });
    const said = (call: string, partitions: readonly TopicPartition[]) =>
      this.calls.push(`${call} ${partitions.map(({ partition }) => partition).join()}`);
    this.consumer.subscribe(topics, {
      onPartitionsAssigned: (partitions) => {
        said("assigned", partitions);
        ledger.got(name, partitions);
      },
      onPartitionsRevoked: (partitions) => {
        said("revoked", partitions);
        ledger.gave(name, partitions);
      },
      onPartitionsLost: (partitions) => {
        said("lost", partitions);
        ledger.gave(name, partitions);
      },
    });
  }

  start(): this {
    this.#isStopped = false;
    this.#polling = this.#poll();
    return this;
  }

  /** Ends its polls, as an application does that is stuck. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.consumer.wakeup();
    await this.#polling;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.consumer.close();
  }

  async #poll(): Promise<void> {
    try {
      while (!this.#isStopped) {
        for (const record of await this.consumer.poll(60_000)) this.#ledger.saw(this.name, record);
      }
    } catch (error) {
      if (!(error instanceof WakeupError)) this.error = error;
    }
  }
}
