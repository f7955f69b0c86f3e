/** What a request says of itself before its body. */
export interface RequestHead {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
}

/** Length, api key, api version, correlation id. */
const headBytes = 12;
const lengthBytes = 4;

/** Finds the head of each request in what a client sends, however it comes in pieces, without keeping the rest. */
export class RequestHeads {
  readonly #head = Buffer.alloc(headBytes);
  readonly #found: (head: RequestHead) => void;
  #filled = 0;
  #toSkip = 0;

  constructor(found: (head: RequestHead) => void) {
    this.#found = found;
  }

  read(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.#toSkip > 0) {
        const skipped = Math.min(this.#toSkip, chunk.length - at);
        this.#toSkip -= skipped;
        at += skipped;
        continue;
      }
      const copied = chunk.copy(this.#head, this.#filled, at);
      this.#filled += copied;
      at += copied;
      if (this.#filled < headBytes) return;
      this.#filled = 0;
      this.#toSkip = this.#head.readInt32BE(0) + lengthBytes - headBytes;
      const [apiKey, apiVersion] = [this.#head.readInt16BE(4), this.#head.readInt16BE(6)];
      this.#found({ apiKey, apiVersion, correlationId: this.#head.readInt32BE(8) });
    }
  }
}

/** Puts the frames together, their length included, that a broker sends. */
export class Frames {
  readonly #found: (frame: Buffer) => void;
  #received: Buffer = Buffer.alloc(0);

  constructor(found: (frame: Buffer) => void) {
    this.#found = found;
  }

  read(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    while (this.#received.length >= lengthBytes) {
      const end = lengthBytes + this.#received.readInt32BE(0);
      if (this.#received.length < end) return;
      this.#found(this.#received.subarray(0, end));
      this.#received = this.#received.subarray(end);
    }
  }
}
