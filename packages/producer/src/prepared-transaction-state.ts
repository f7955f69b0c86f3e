import { isSameProducer, noProducerId, type ProducerIdAndEpoch } from "./producer-id.ts";
import { unusable } from "./unusable.ts";

const form = /^(\d{1,19}):(\d{1,5})$/;
const largestId = 0x7fff_ffff_ffff_ffffn;
const largestEpoch = 0x7fff;

/**
 * Which transaction was prepared. Whoever decides about it (a database, as a rule) stores its text with the decision, and gives it
 * to `completeTransaction` later, also of another process. Source: KIP-939, Kafka's `PreparedTxnState`.
 */
export class PreparedTransactionState {
  /** -1 of none. */
  readonly producerId: bigint;
  /** -1 of none. */
  readonly epoch: number;

  private constructor({ producerId, producerEpoch }: ProducerIdAndEpoch) {
    this.producerId = producerId;
    this.epoch = producerEpoch;
  }

  /** Of no transaction: it is the same as none that was prepared, so that completing with it aborts. */
  static readonly none = new PreparedTransactionState(noProducerId);

  /** @internal of the transaction that a producer has prepared */
  static of(producer: ProducerIdAndEpoch): PreparedTransactionState {
    return new PreparedTransactionState(producer);
  }

  /**
   * Reads what `toString` gave.
   *
   * @param text `producerId:epoch`; an empty one is that of no transaction
   * @throws KafkaError with code OPTIONS for any other
   */
  static parse(text: string): PreparedTransactionState {
    if (text === "") return PreparedTransactionState.none;
    const [, id, epoch] = (typeof text === "string" ? form.exec(text) : null) ?? [];
    const producer = { producerId: BigInt(id ?? -1), producerEpoch: Number(epoch ?? -1) };
    if (id === undefined || producer.producerId > largestId || producer.producerEpoch > largestEpoch) {
      throw unusable("prepared transaction", text, "producerId:epoch, as toString() gave it,");
    }
    return new PreparedTransactionState(producer);
  }

  /** Whether it names a transaction. */
  get hasTransaction(): boolean {
    return this.producerId >= 0n;
  }

  /** Whether both name the same transaction, or none. */
  equals({ producerId, epoch }: PreparedTransactionState): boolean {
    return isSameProducer(
      { producerId, producerEpoch: epoch },
      { producerId: this.producerId, producerEpoch: this.epoch },
    );
  }

  /** `producerId:epoch`, and an empty text for no transaction; the same text as that of the Java client. */
  toString(): string {
    return this.hasTransaction ? `${this.producerId}:${this.epoch}` : "";
  }

  toJSON(): string {
    return this.toString();
  }
}
