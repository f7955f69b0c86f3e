import type { Socket } from "node:net";

/**
 * Hands frames to a socket, each in one `writev` and without joining its chunks, and knows which of them the socket
 * still holds.
 */
export class FrameWriter {
  readonly #socket: Socket;
  #unwritten = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Frames whose buffers are not free yet. */
  get unwritten(): number {
    return this.#unwritten;
  }

  /** Whether the socket has more to write than it can; its `drain` event says when that is over. */
  get isFull(): boolean {
    return this.#socket.writableNeedDrain;
  }

  /**
   * @param onWritten called when the buffers are free: the system has them, or the socket is destroyed. A socket that
   *   is destroyed calls back without an error although it did not write all
   */
  write(chunks: readonly Buffer[], onWritten: (error: Error | null) => void): void {
    this.#unwritten += 1;
    const last = chunks.length - 1;
    this.#socket.cork();
    chunks.forEach((chunk, index) => {
      if (index < last) this.#socket.write(chunk);
      else this.#socket.write(chunk, (error) => this.#onWritten(onWritten, error ?? null));
    });
    this.#socket.uncork();
  }

  #onWritten(tell: (error: Error | null) => void, error: Error | null): void {
    this.#unwritten -= 1;
    tell(error);
  }
}
