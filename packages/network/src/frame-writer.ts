import type { Duplex } from "node:stream";

/**
 * Hands frames to a socket, each in one `writev` and without joining its chunks, and knows which of them the socket
 * still holds.
 */
export class FrameWriter {
  readonly #socket: Duplex;
  /** Until when each of those has to be written that are not, oldest first: a socket writes in the order of the calls. */
  readonly #deadlinesMs: number[] = [];

  constructor(socket: Duplex) {
    this.#socket = socket;
  }

  /** Frames whose buffers are not free yet. */
  get unwritten(): number {
    return this.#deadlinesMs.length;
  }

  /** When the first of them runs out of time, `Infinity` where there is none. */
  get nextDeadlineMs(): number {
    return this.#deadlinesMs[0] ?? Number.POSITIVE_INFINITY;
  }

  /** Gives each of them that much more time. */
  extend(ms: number): void {
    this.#deadlinesMs.forEach((deadlineMs, index) => {
      this.#deadlinesMs[index] = deadlineMs + ms;
    });
  }

  /** Whether the socket has more to write than it can; its `drain` event says when that is over. */
  get isFull(): boolean {
    return this.#socket.writableNeedDrain;
  }

  /**
   * @param deadlineMs until when it has to be written, in the clock's time
   * @param onWritten called when the buffers are free: the system has them, or the socket is destroyed. A socket that
   *   is destroyed calls back without an error although it did not write all
   */
  write(chunks: readonly Buffer[], deadlineMs: number, onWritten: (error: Error | null) => void): void {
    this.#deadlinesMs.push(deadlineMs);
    const last = chunks.length - 1;
    this.#socket.cork();
    chunks.forEach((chunk, index) => {
      if (index < last) this.#socket.write(chunk);
      else this.#socket.write(chunk, (error) => this.#onWritten(onWritten, error ?? null));
    });
    this.#socket.uncork();
  }

  #onWritten(tell: (error: Error | null) => void, error: Error | null): void {
    this.#deadlinesMs.shift();
    tell(error);
  }
}
