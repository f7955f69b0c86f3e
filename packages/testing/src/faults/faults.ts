import type { Effect } from "./effect.ts";
import type { RecordedRequest } from "./journal.ts";

/** Which requests a fault befalls, and how often. */
export interface FaultScope<Request extends RecordedRequest = RecordedRequest> {
  /** How many requests. @default 1 */
  readonly times?: number;
  /** Only requests to this broker. @default any */
  readonly broker?: number;
  /** Only requests that it says yes to, such as those of one client or about one group. It is asked once for each. @default all */
  when?(request: Request): boolean;
}

/** Which partitions too, for APIs that answer for each. */
export interface PartitionScope<Request extends RecordedRequest = RecordedRequest> extends FaultScope<Request> {
  /** @default any */
  readonly topic?: string;
  /** @default any */
  readonly partition?: number;
}

/** A fault that was arranged. */
export interface Fault {
  /** Requests that it befell so far. */
  readonly hits: number;
  /** Lets nothing more come of it. */
  remove(): void;
}

type EffectOf<K extends Effect["kind"]> = Extract<Effect, { kind: K }>;

class Rule implements Fault {
  readonly apiKey: number | null;
  readonly effect: Effect;
  readonly scope: PartitionScope;
  hits = 0;
  #isRemoved = false;

  constructor(apiKey: number | null, effect: Effect, scope: PartitionScope) {
    this.apiKey = apiKey;
    this.effect = effect;
    this.scope = scope;
  }

  remove(): void {
    this.#isRemoved = true;
  }

  get isSpent(): boolean {
    return this.#isRemoved || this.hits >= (this.scope.times ?? 1);
  }

  matches(apiKey: number, request: RecordedRequest): boolean {
    if (this.isSpent) return false;
    const { broker } = this.scope;
    return (
      (this.apiKey ?? apiKey) === apiKey &&
      (broker ?? request.broker) === request.broker &&
      (this.scope.when?.(request) ?? true)
    );
  }

  matchesPartition(topic: string | undefined, partition: number | undefined): boolean {
    return (this.scope.topic ?? topic) === topic && (this.scope.partition ?? partition) === partition;
  }
}

/** The errors that were arranged for one request. Each counts once, however many partitions it befalls. */
export class Failures {
  readonly #rules: readonly Rule[];
  readonly #counted = new Set<Rule>();

  constructor(rules: readonly Rule[]) {
    this.#rules = rules;
  }

  /** 0 for none. */
  errorCodeOf(topic?: string, partition?: number): number {
    for (const rule of this.#rules) {
      if (rule.effect.kind !== "fail" || !rule.matchesPartition(topic, partition)) continue;
      if (!this.#counted.has(rule)) {
        if (rule.isSpent) continue;
        this.#counted.add(rule);
        rule.hits += 1;
      }
      return rule.effect.errorCode;
    }
    return 0;
  }
}

const noFailures = new Failures([]);

/** What is to go wrong. Of several faults for the same request, the one that was arranged first comes first. */
export class Faults {
  #rules: Rule[] = [];

  /**
   * @param apiKey `null` for every API
   * @throws TypeError for a scope that no request is in
   */
  arrange(apiKey: number | null, effect: Effect, scope: PartitionScope = {}): Fault {
    checkScope(scope);
    const rule = new Rule(apiKey, effect, scope);
    this.#rules = [...this.#rules.filter(({ isSpent }) => !isSpent), rule];
    return rule;
  }

  /** The next fault of a kind for this request, which counts as having happened; `null` for none. */
  take<K extends Effect["kind"]>(kind: K, apiKey: number, request: RecordedRequest): EffectOf<K> | null {
    if (this.#rules.length === 0) return null;
    for (const rule of this.#rules) {
      const { effect } = rule;
      if (!isKind(effect, kind) || !rule.matches(apiKey, request)) continue;
      rule.hits += 1;
      return effect;
    }
    return null;
  }

  failuresOf(apiKey: number, request: RecordedRequest): Failures {
    if (this.#rules.length === 0) return noFailures;
    const isFailure = ({ effect }: Rule) => effect.kind === "fail";
    return new Failures(this.#rules.filter((rule) => isFailure(rule) && rule.matches(apiKey, request)));
  }
}

const isKind = <K extends Effect["kind"]>(effect: Effect, kind: K): effect is EffectOf<K> => effect.kind === kind;

function checkScope(scope: PartitionScope): void {
  const { times = 1, topic = "", partition = 0 } = scope;
  const refuse = (what: string, value: unknown, mayBe: string) => {
    throw new TypeError(`a fault: ${what} is ${String(value)}; it must be ${mayBe}`);
  };
  const isCount = Number.isInteger(times) || times === Number.POSITIVE_INFINITY;
  if (!isCount || times < 1) refuse("times", times, "a whole number from 1 on, or Infinity");
  if (!["function", "undefined"].includes(typeof scope.when)) refuse("when", `a ${typeof scope.when}`, "a function");
  if (typeof topic !== "string") refuse("topic", topic, "a name");
  if (!Number.isInteger(partition) || partition < 0) refuse("partition", partition, "a whole number from 0 on");
}
