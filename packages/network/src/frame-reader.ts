import { DecodeError } from "@odradek/protocol";

/** A frame of this size that was refused is worth giving back. */
const discardedBytes = 1_048_576;

/**
 * Cuts a stream of chunks into frames. Each frame is copied once, chunk by chunk, into memory of its own: a chunk is overwritten by
 * what the socket reads next. Small frames share their memory with others.
 */
export class FrameReader {
  /** Largest frame that is taken; smaller during the handshake, when the peer is not known yet. */
  maxFrameBytes: number;
  /** Smallest frame that is taken: a response begins with its correlation id; what has no header may be empty. */
  minFrameBytes = 4;
  readonly #onFrame: (payload: Buffer) => void;
  /** The four bytes of the length, where they came in pieces. */
  readonly #lengthBytes = Buffer.alloc(4);
  #lengthHave = 0;
  /** The frame that is being put together, `null` between frames. */
  #frame: Buffer<ArrayBuffer> | null = null;
  #frameHave = 0;

  constructor(maxFrameBytes: number, onFrame: (payload: Buffer) => void) {
    this.maxFrameBytes = maxFrameBytes;
    this.#onFrame = onFrame;
  }

  /**
   * Takes the next bytes of the stream and hands out the frames that end in them.
   *
   * @throws DecodeError for a length that no broker of ours would send; the stream is of no use afterwards
   */
  push(chunk: Buffer): void {
    let offset = 0;
    while (offset < chunk.length) {
      if (this.#frame !== null) {
        offset += this.#fill(this.#frame, chunk, offset);
        continue;
      }
      if (this.#lengthHave === 0 && chunk.length - offset >= 4) {
        const length = this.#checked(chunk.readInt32BE(offset), chunk.subarray(offset, offset + 4));
        offset += 4;
        this.#begin(length);
        continue;
      }
      const copied = chunk.copy(this.#lengthBytes, this.#lengthHave, offset);
      this.#lengthHave += copied;
      offset += copied;
      if (this.#lengthHave === 4) {
        this.#lengthHave = 0;
        this.#begin(this.#checked(this.#lengthBytes.readInt32BE(0), this.#lengthBytes));
      }
    }
  }

  /** Memory that is not written to is not resident: a peer that announces much and sends little costs little. */
  #begin(length: number): void {
    this.#frame = Buffer.allocUnsafe(length);
    this.#frameHave = 0;
    // No byte will come to complete it.
    if (length === 0) this.#fill(this.#frame, this.#lengthBytes, this.#lengthBytes.length);
  }

  #fill(frame: Buffer<ArrayBuffer>, chunk: Buffer, offset: number): number {
    const copied = chunk.copy(frame, this.#frameHave, offset);
    this.#frameHave += copied;
    if (this.#frameHave === frame.length) {
      this.#frame = null;
      this.#handOver(frame);
    }
    return copied;
  }

  #handOver(frame: Buffer<ArrayBuffer>): void {
    try {
      this.#onFrame(frame);
    } catch (error) {
      if (frame.length >= discardedBytes) discard(frame);
      throw error;
    }
  }

  #checked(length: number, first: Buffer): number {
    if (length >= this.minFrameBytes && length <= this.maxFrameBytes) return length;
    const guess = speakerOf(first);
    const limit = `between ${this.minFrameBytes} and ${this.maxFrameBytes} bytes`;
    throw new DecodeError(`frame length ${length} is not ${limit}${guess === null ? "" : `; ${guess}`}`, 0);
  }
}

/**
 * Gives memory back at once of which nobody has kept a part. The collector would come by too late: two frames of 100 MiB
 * that mean nothing, and a third one on its way, are what a peer could have us hold. What is sent to a closed port is gone.
 */
function discard({ buffer }: Buffer<ArrayBuffer>): void {
  const { port1 } = new MessageChannel();
  port1.close();
  port1.postMessage(null, [buffer]);
}

/** Who else opens a connection with these four bytes. */
function speakerOf(first: Buffer): string | null {
  const text = first.toString("latin1");
  if (text === "HTTP") return "the peer speaks HTTP: is this the port of a Kafka broker?";
  if (text === "SSH-") return "the peer speaks SSH: is this the port of a Kafka broker?";
  if (first[0] === 0x15 && first[1] === 0x03) return "the peer speaks TLS: is this the port of a PLAINTEXT listener?";
  return null;
}
