import { Alarm, type Clock, type Deadline, TimeoutError } from "@odradek/network";
import { KafkaError } from "@odradek/protocol";

/** One who waits for memory. */
interface Waiter {
  readonly bytes: number;
  readonly deadline: Deadline;
  readonly resolve: (buffer: Buffer) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * The memory for records that are not delivered yet: `totalBytes` in all. Buffers of the usual size are kept for use
 * again; others are made when asked for.
 *
 * Fair: who waits is served in the order of arrival, and nobody is served past one who waits. Memory that comes back
 * therefore adds up for the first in line, however much it asks for. Source: Kafka's `BufferPool`.
 */
export class BufferPool {
  readonly #totalBytes: number;
  readonly #pooledBytes: number;
  readonly #alarm: Alarm;
  readonly #free: Buffer[] = [];
  /** Buffers that are out. What comes back must be one of them. */
  readonly #lent = new Set<Buffer>();
  readonly #waiters: Waiter[] = [];
  /** Bytes that are neither out nor in `#free`. */
  #unpooledBytes: number;

  /** @param pooledBytes the usual size, at most `totalBytes` */
  constructor(totalBytes: number, pooledBytes: number, clock: Clock) {
    this.#totalBytes = totalBytes;
    this.#pooledBytes = pooledBytes;
    this.#unpooledBytes = totalBytes;
    this.#alarm = new Alarm(clock, () => this.#onDeadline());
  }

  /** What there is in all. */
  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** Bytes that are not out. */
  get availableBytes(): number {
    return this.#unpooledBytes + this.#free.length * this.#pooledBytes;
  }

  /** How many wait. */
  get waiterCount(): number {
    return this.#waiters.length;
  }

  /** Takes a buffer now; `null` where there is not enough memory, or others wait already. */
  take(bytes: number): Buffer | null {
    return this.#waiters.length > 0 ? null : this.#lend(bytes);
  }

  /**
   * Takes a buffer as soon as there is memory and everyone before has theirs.
   *
   * @throws TimeoutError when `deadline` is over, KafkaError for more than there is in total, the reason of `signal`
   */
  wait(bytes: number, deadline: Deadline, signal?: AbortSignal): Promise<Buffer> {
    if (bytes > this.#totalBytes) {
      const message = `${bytes} bytes are more than bufferMemory (${this.#totalBytes} bytes) will ever have`;
      return Promise.reject(new KafkaError(message, { code: "MESSAGE_TOO_LARGE" }));
    }
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const stop = () => signal?.removeEventListener("abort", giveUp);
      const waiter: Waiter = {
        bytes,
        deadline,
        resolve: (buffer) => {
          stop();
          resolve(buffer);
        },
        reject: (reason) => {
          stop();
          reject(reason);
        },
      };
      const giveUp = () => this.#giveUp(waiter, signal?.reason);
      signal?.addEventListener("abort", giveUp);
      this.#waiters.push(waiter);
      this.#serve();
    });
  }

  /** Gives a buffer back. @throws Error for one that is not out: a defect, after which two batches would share it */
  release(buffer: Buffer): void {
    if (!this.#lent.delete(buffer)) throw new Error("a buffer came back that was not taken, or came back twice");
    if (buffer.length === this.#pooledBytes) this.#free.push(buffer);
    else this.#unpooledBytes += buffer.length;
    this.#serve();
  }

  /** Lets nobody wait any more. */
  abort(error: KafkaError): void {
    this.#alarm.cancel();
    for (const { reject } of this.#waiters.splice(0)) reject(error);
  }

  #lend(bytes: number): Buffer | null {
    if (this.availableBytes < bytes) return null;
    const pooled = bytes === this.#pooledBytes ? this.#free.pop() : undefined;
    if (pooled === undefined) {
      while (this.#unpooledBytes < bytes && this.#free.pop() !== undefined) this.#unpooledBytes += this.#pooledBytes;
      this.#unpooledBytes -= bytes;
    }
    const buffer = pooled ?? Buffer.allocUnsafeSlow(bytes);
    this.#lent.add(buffer);
    return buffer;
  }

  /** Serves from the head of the line until one must go on waiting. */
  #serve(): void {
    for (;;) {
      const head = this.#waiters[0];
      const buffer = head === undefined ? null : this.#lend(head.bytes);
      if (head === undefined || buffer === null) break;
      this.#waiters.shift();
      head.resolve(buffer);
    }
    this.#setAlarm();
  }

  #onDeadline(): void {
    const late = this.#waiters.filter(({ deadline }) => deadline.isOver);
    for (const waiter of late) {
      const what = `${waiter.bytes} bytes of bufferMemory (${this.#totalBytes} bytes, all held by records under way)`;
      this.#giveUp(waiter, new TimeoutError(what, waiter.deadline.timeoutMs));
    }
    this.#serve();
  }

  #giveUp(waiter: Waiter, reason: unknown): void {
    const index = this.#waiters.indexOf(waiter);
    if (index < 0) return;
    this.#waiters.splice(index, 1);
    waiter.reject(reason);
    this.#serve();
  }

  #setAlarm(): void {
    this.#alarm.set(
      this.#waiters.reduce((nearest, { deadline }) => Math.min(nearest, deadline.atMs), Number.POSITIVE_INFINITY),
    );
  }
}
