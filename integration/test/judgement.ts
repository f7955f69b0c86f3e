/** What is known of a record when all is over. */
export interface SentRecord {
  /** Whose records of a partition are in order among themselves. */
  readonly writer: string;
  readonly partition: number;
  /** No other record has it. */
  readonly value: string;
  readonly fate: "present" | "absent" | "either";
  /** Where its producer was told that it is. */
  readonly offset?: bigint;
  /** Of whose records either all are there or none. */
  readonly transaction?: string;
}

export interface LogRecord {
  readonly offset: bigint;
  readonly value: string | null;
}

/** The values of what is wrong, which is nothing where all is well. */
export interface Judgement {
  /** It must be in the log, and is not. */
  readonly lost: readonly string[];
  readonly duplicated: readonly string[];
  /** It is behind one of the same writer that was sent later. */
  readonly reordered: readonly string[];
  /** It must not be in the log, and is. */
  readonly unwanted: readonly string[];
  /** It is in another place than its producer was told. */
  readonly misplaced: readonly string[];
  /** Nobody sent it to this partition. */
  readonly foreign: readonly string[];
  /** Transactions of which a part is there. */
  readonly torn: readonly string[];
}

export const allIsWell: Judgement = {
  lost: [],
  duplicated: [],
  reordered: [],
  unwanted: [],
  misplaced: [],
  foreign: [],
  torn: [],
};

/**
 * Compares what was sent with a whole log.
 *
 * @param sent in the order of sending
 * @param log by partition, whole and in order
 */
export function judge(sent: readonly SentRecord[], log: readonly (readonly LogRecord[])[]): Judgement {
  const places = new Map(sent.map((record, place) => [record.value, { record, place }]));
  if (places.size !== sent.length) throw new Error("two records were sent with the same value");
  const seen = new Set<string>();
  const found: Record<"duplicated" | "reordered" | "unwanted" | "misplaced" | "foreign", string[]> = {
    duplicated: [],
    reordered: [],
    unwanted: [],
    misplaced: [],
    foreign: [],
  };
  for (const [partition, records] of log.entries()) {
    const last = new Map<string, number>();
    for (const { offset, value } of records) {
      const at = `${value}@${partition}:${offset}`;
      const known = places.get(value ?? "");
      if (known === undefined || known.record.partition !== partition) {
        found.foreign.push(at);
        continue;
      }
      const { record, place } = known;
      if (seen.has(record.value)) found.duplicated.push(at);
      else if (place < (last.get(record.writer) ?? -1)) found.reordered.push(at);
      if (record.fate === "absent") found.unwanted.push(at);
      if (record.offset !== undefined && record.offset !== offset) found.misplaced.push(`${at}, not ${record.offset}`);
      seen.add(record.value);
      last.set(record.writer, place);
    }
  }
  const lost = sent.filter(({ fate, value }) => fate === "present" && !seen.has(value)).map(({ value }) => value);
  return { ...found, lost, torn: tornOf(sent, seen) };
}

function tornOf(sent: readonly SentRecord[], seen: ReadonlySet<string>): string[] {
  const transactions = new Map<string, { here: number; missing: number }>();
  for (const { transaction, value } of sent) {
    if (transaction === undefined) continue;
    const counts = transactions.get(transaction) ?? { here: 0, missing: 0 };
    counts[seen.has(value) ? "here" : "missing"] += 1;
    transactions.set(transaction, counts);
  }
  return [...transactions].filter(([, { here, missing }]) => here > 0 && missing > 0).map(([name]) => name);
}
