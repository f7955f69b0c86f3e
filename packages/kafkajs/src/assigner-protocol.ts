/** Which partitions of which topics. */
export interface Assignment {
  [topic: string]: number[];
}

export interface MemberMetadata {
  version: number;
  topics: string[];
  userData: Buffer;
}

export interface MemberAssignment {
  version: number;
  assignment: Assignment;
  userData: Buffer;
}

export interface ISerializer<T, Given = T> {
  encode(value: Given): Buffer;
  /** Ignores what stands behind what it knows. @throws RangeError where bytes are missing */
  decode(buffer: Buffer): T | null;
}

/** @default no bytes */
type WithoutUserData<T> = Omit<T, "userData"> & { userData?: Buffer | null };

const int16 = (value: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
};

const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};

const noBytes = Buffer.alloc(0);

/** A length, which is -1 of `null`, and so many bytes. */
const bytes = (value: Buffer | null): Buffer[] => [int32(value?.length ?? -1), value ?? noBytes];

/** User data as kafkajs declares it, which is `null` of members that have none, such as those of Java. */
function asTyped(userData: Buffer | null): Buffer;
function asTyped(userData: Buffer | null): Buffer | null {
  return userData;
}

const text = (value: string): Buffer[] => [int16(Buffer.byteLength(value)), Buffer.from(value)];

/** Reads one field after the other. */
class Cursor {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  int16(): number {
    const value = this.#buffer.readInt16BE(this.#at);
    this.#at += 2;
    return value;
  }

  int32(): number {
    const value = this.#buffer.readInt32BE(this.#at);
    this.#at += 4;
    return value;
  }

  bytes(length: number): Buffer {
    const end = this.#at + Math.max(0, length);
    if (end > this.#buffer.length) throw new RangeError(`${length} bytes are announced, and fewer are there`);
    const value = this.#buffer.subarray(this.#at, end);
    this.#at = end;
    return value;
  }

  userData(): Buffer {
    const length = this.int32();
    return asTyped(length < 0 ? null : this.bytes(length));
  }

  text(): string {
    return this.bytes(this.int16()).toString("utf8");
  }

  /** An item takes bytes, so a count that says more than there is fails at the first that is missing. */
  list<T>(item: () => T): T[] {
    const items: T[] = [];
    for (let left = this.int32(); left > 0; left--) items.push(item());
    return items;
  }
}

/**
 * What members of a group say of themselves, and are told, as kafkajs writes it: for custom assigners.
 *
 * @example AssignerProtocol.MemberMetadata.encode({ version: 1, topics: ["orders"], userData: Buffer.alloc(0) })
 */
export const AssignerProtocol: {
  MemberMetadata: ISerializer<MemberMetadata, WithoutUserData<MemberMetadata>>;
  MemberAssignment: ISerializer<MemberAssignment, WithoutUserData<MemberAssignment>>;
} = {
  MemberMetadata: {
    encode({ version, topics, userData = noBytes }) {
      return Buffer.concat([int16(version), int32(topics.length), ...topics.flatMap(text), ...bytes(userData)]);
    },
    decode(buffer) {
      const cursor = new Cursor(buffer);
      const version = cursor.int16();
      const topics = cursor.list(() => cursor.text());
      return { version, topics, userData: cursor.userData() };
    },
  },
  MemberAssignment: {
    encode({ version, assignment, userData = noBytes }) {
      const topics = Object.entries(assignment);
      const partitions = topics.flatMap(([topic, numbers]) => [
        ...text(topic),
        int32(numbers.length),
        ...numbers.map(int32),
      ]);
      return Buffer.concat([int16(version), int32(topics.length), ...partitions, ...bytes(userData)]);
    },
    decode(buffer) {
      if (buffer.length < 2) return null;
      const cursor = new Cursor(buffer);
      const version = cursor.int16();
      const topics = cursor.list(() => [cursor.text(), cursor.list(() => cursor.int32())] as const);
      return { version, assignment: Object.fromEntries(topics), userData: cursor.userData() };
    },
  },
};
