import { type Deserializer, type SerdeContext, State } from "@odradek/network";
import type { ConsumerRecord } from "./consumer-record.ts";

const kinds = (isAsync: boolean | undefined) =>
  new State<"UNKNOWN" | "LAZY" | "AWAITED">(isAsync === undefined ? "UNKNOWN" : isAsync ? "AWAITED" : "LAZY", {
    UNKNOWN: ["LAZY", "AWAITED"], // nobody has said, and it was not asked yet
    LAZY: [], // gives values: it is asked when somebody looks
    AWAITED: [], // gives promises: it is asked, and awaited, before records are handed out
  });

/** Deserializes keys, or values, before records are handed out, where their deserializer gives promises. */
class RoleDeserialization {
  readonly #role: SerdeContext["role"];
  readonly #kind: ReturnType<typeof kinds>;

  constructor(role: SerdeContext["role"], { isAsync }: Deserializer<unknown>) {
    this.#role = role;
    this.#kind = kinds(isAsync);
  }

  /** Begins with all of them, and finds out by the first that tells whether it has to. @param pending gets what is to be awaited */
  begin(records: readonly ConsumerRecord<unknown, unknown>[], pending: Promise<void>[]): void {
    if (this.#kind.is("LAZY")) return;
    for (const record of records) {
      // Where no record has a key, all of them are passed by: it must cost next to nothing.
      const size = this.#role === "key" ? record.serializedKeySize : record.serializedValueSize;
      if (size < 0) continue;
      const ahead = record.deserializeAhead(this.#role, this.#kind.is("AWAITED"));
      if (this.#kind.is("UNKNOWN") && ahead !== null) this.#kind.to(ahead === "value" ? "LAZY" : "AWAITED");
      if (ahead instanceof Promise) pending.push(ahead);
      else if (this.#kind.is("LAZY")) return;
    }
  }
}

/**
 * The part of deserializing that cannot wait for a look, because a look cannot wait: keys and values whose deserializers give promises.
 * It costs the others nothing but a try, of the first key and the first value that there are.
 */
export class AwaitedDeserialization<K, V> {
  readonly #roles: readonly RoleDeserialization[];

  constructor(keyDeserializer: Deserializer<K>, valueDeserializer: Deserializer<V>) {
    this.#roles = [
      new RoleDeserialization("key", keyDeserializer),
      new RoleDeserialization("value", valueDeserializer),
    ];
  }

  /**
   * Begins with records that are about to be handed out.
   *
   * @returns settles, never in an error, once a look at any of them can be answered; `null` where that is so already
   */
  begin(records: readonly ConsumerRecord<K, V>[]): Promise<void> | null {
    const pending: Promise<void>[] = [];
    for (const role of this.#roles) role.begin(records, pending);
    return pending.length === 0 ? null : Promise.all(pending).then(() => {});
  }
}
