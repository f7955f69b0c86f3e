/** A length and nothing behind it. */
const lengthBytes = 4;

/** `socket.request.max.bytes` of a broker: a longer request closes its connection. */
const maxRequestBytes = 100 * 1024 * 1024;

/**
 * Cuts what a client sends into requests, each in one piece of memory. A request that came whole within a chunk is a view
 * of it; one that did not is gathered into a buffer of its own, so that every byte is copied once at most.
 */
export class RequestFrames {
  readonly #onRequest: (payload: Buffer) => void;
  /** The request that is on its way, and how much of it is there. */
  #open: Buffer | null = null;
  #filled = 0;
  /** The first bytes of a length that is not whole yet. */
  #head: Buffer = Buffer.alloc(0);

  /** @param onRequest gets each request without its length */
  constructor(onRequest: (payload: Buffer) => void) {
    this.#onRequest = onRequest;
  }

  /** @throws RangeError for a length that no request can have */
  push(chunk: Buffer): void {
    let rest = this.#head.length === 0 ? chunk : Buffer.concat([this.#head, chunk]);
    this.#head = rest.subarray(0, 0);
    while (rest.length > 0) {
      if (this.#open !== null) {
        rest = this.#fill(this.#open, rest);
        continue;
      }
      if (rest.length < lengthBytes) {
        this.#head = Buffer.from(rest);
        return;
      }
      const length = rest.readInt32BE(0);
      if (length < 0 || length > maxRequestBytes) throw new RangeError(`a request of ${length} bytes`);
      rest = rest.subarray(lengthBytes);
      if (rest.length >= length) {
        this.#onRequest(rest.subarray(0, length));
        rest = rest.subarray(length);
      } else {
        this.#open = Buffer.allocUnsafeSlow(length);
        this.#filled = 0;
      }
    }
  }

  #fill(open: Buffer, chunk: Buffer): Buffer {
    const taken = Math.min(open.length - this.#filled, chunk.length);
    chunk.copy(open, this.#filled, 0, taken);
    this.#filled += taken;
    if (this.#filled === open.length) {
      this.#open = null;
      this.#onRequest(open);
    }
    return chunk.subarray(taken);
  }
}
