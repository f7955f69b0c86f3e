import { setTimeout as sleep } from "node:timers/promises";
import { type ClientOptions, KafkaProducer, TimeoutError, TransactionError } from "odradek";
import { until } from "../cluster/readiness.ts";
import type { SentRecord } from "./judgement.ts";
import type { Random } from "./random.ts";

/** Between transactions, so that brokers that start get something of the processor. */
const betweenMs = 5;
const mostRecords = 12;
/** After how long a commit is walked away from, at most: about as long as one takes. */
const mostPatienceMs = 40;

interface Transaction {
  readonly records: { readonly partition: number; readonly value: string; offset?: bigint }[];
  /** As whoever ended it was told. */
  fate: SentRecord["fate"];
}

export interface TransactionalWriterOptions {
  readonly transactionalId: string;
  /** Of this one, among all that use the id. */
  readonly name: string;
  readonly topic: string;
  readonly partitionCount: number;
  readonly groupId: string;
  readonly client: ClientOptions;
  readonly random: Random;
}

/**
 * Writes transaction after transaction: most are committed, some are aborted, and from the commit of some it walks away, as a
 * process does that is killed, and a new producer takes the id.
 */
export class TransactionalWriter implements AsyncDisposable {
  readonly #options: TransactionalWriterOptions;
  readonly #transactions: Transaction[] = [];
  readonly #work: Promise<void>;
  /** What ended producers that nobody else had fenced. */
  readonly failures: unknown[] = [];
  #producer: KafkaProducer | null = null;
  #isStopped = false;

  constructor(options: TransactionalWriterOptions) {
    this.#options = options;
    this.#work = this.#write();
    // Told by whoever waits for it.
    this.#work.catch(() => {});
  }

  /** How many transactions ended like this, as far as was told. */
  count(fate: SentRecord["fate"]): number {
    return this.#transactions.filter((transaction) => transaction.fate === fate).length;
  }

  /** Waits until a transaction is committed that began after this call. */
  async commits(): Promise<void> {
    const first = this.#transactions.length;
    await until(`${this.#options.name} commits`, async () => {
      if (this.#isStopped) await this.#work;
      const fresh = this.#transactions.slice(first);
      return fresh.some(({ fate }) => fate === "present") || `none of ${fresh.length} from ${first} on is committed`;
    });
  }

  /** Ends the last transaction, and has whatever was left open ended too. */
  async finish(): Promise<void> {
    this.#isStopped = true;
    await this.#work;
    await using last = this.#newProducer();
    await last.initTransactions();
  }

  /** In the order of sending. */
  records(): SentRecord[] {
    const { transactionalId: writer, name } = this.#options;
    return this.#transactions.flatMap(({ records, fate }, number) =>
      records.map(({ offset, ...record }) => ({
        ...record,
        writer,
        transaction: `${name}.${number}`,
        fate,
        ...(offset === undefined ? {} : { offset }),
      })),
    );
  }

  /** What the group may have committed: of the last transaction that surely counts, or of one behind it that may. */
  possibleOffsets(): bigint[] {
    const last = this.#transactions.findLastIndex(({ fate }) => fate === "present");
    return this.#transactions.flatMap(({ fate }, number) =>
      number >= last && fate !== "absent" ? [BigInt(number)] : [],
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    await this.#producer?.close({ timeoutMs: 0 });
    await this.#work.catch(() => {});
  }

  async #write(): Promise<void> {
    while (!this.#isStopped) {
      const producer = this.#newProducer();
      this.#producer = producer;
      try {
        await producer.initTransactions();
        while (!this.#isStopped && (await this.#transact(producer))) await sleep(betweenMs);
      } catch (error) {
        // Else whoever closed it did not want to wait.
        if (!this.#isStopped) this.failures.push(error);
      } finally {
        await producer.close({ timeoutMs: 0 });
      }
    }
  }

  #newProducer(): KafkaProducer {
    const { client, transactionalId } = this.#options;
    return new KafkaProducer({ ...client, transactionalId, lingerMs: 1 });
  }

  /** @returns whether the producer goes on */
  async #transact(producer: KafkaProducer): Promise<boolean> {
    const { random, topic, groupId } = this.#options;
    const transaction: Transaction = { records: [], fate: "either" };
    const number = this.#transactions.push(transaction) - 1;
    producer.beginTransaction();
    this.#send(producer, transaction, number);
    const drawn = random.next();
    try {
      await producer.sendOffsetsToTransaction([{ topic, partition: 0, offset: number }], groupId);
      if (drawn < 0.25) {
        // Else none of them may have been sent yet.
        if (drawn < 0.15) await producer.flush();
        await producer.abortTransaction();
        transaction.fate = "absent";
        return true;
      }
      if (drawn < 0.35) return await this.#walkAway(producer, transaction);
      await committed(producer);
    } catch (error) {
      if (!(error instanceof TransactionError && error.abortable)) throw error;
      await producer.abortTransaction();
      transaction.fate = "absent";
      return true;
    }
    transaction.fate = "present";
    return true;
  }

  #send(producer: KafkaProducer, { records }: Transaction, number: number): void {
    const { random, topic, partitionCount, name } = this.#options;
    const count = 1 + random.below(mostRecords);
    for (let index = 0; index < count; index++) {
      const record: Transaction["records"][number] = {
        partition: random.below(partitionCount),
        value: `${name}-${number}-${index}`,
      };
      records.push(record);
      producer.send({ topic, partition: record.partition, value: record.value }, (_error, metadata) => {
        if (metadata !== null) record.offset = metadata.offset;
      });
    }
  }

  /** @returns whether it was committed before that */
  async #walkAway(producer: KafkaProducer, transaction: Transaction): Promise<boolean> {
    const signal = AbortSignal.timeout(this.#options.random.below(mostPatienceMs));
    try {
      await producer.commitTransaction({ signal });
    } catch (error) {
      if (signal.aborted && error === signal.reason) return false;
      throw error;
    }
    transaction.fate = "present";
    return true;
  }
}

/** Commits, however long it takes. */
async function committed(producer: KafkaProducer): Promise<void> {
  for (;;) {
    try {
      await producer.commitTransaction();
      return;
    } catch (error) {
      if (!(error instanceof TimeoutError)) throw error;
    }
  }
}
