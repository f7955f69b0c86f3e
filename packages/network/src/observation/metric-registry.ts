import type { Clock } from "../clock.ts";
import type { MetricDefinition, SensorMetric } from "./metric-definition.ts";
import { type Sampling, Sensor } from "./sensor.ts";

/** What is measured together, by a name for those who record it. */
export type SensorTable = Readonly<Record<string, readonly SensorMetric[]>>;

/** A sensor for each entry of a table. */
export type Sensors<Table extends SensorTable> = { readonly [Name in keyof Table]: Sensor };

/** Which client metrics are of; their groups begin with it. */
export type ClientKind = "producer" | "consumer" | "admin-client";

/** What tells metrics of the same name apart, such as `client-id` and `node-id`. */
export type MetricTags = Readonly<Record<string, string>>;

/** A metric and its value at the moment it was asked for. Names, groups, tags and units are those of Kafka's Java client. */
export interface Metric {
  /** Such as `request-latency-avg`. */
  readonly name: string;
  /** Such as `producer-node-metrics`. */
  readonly group: string;
  readonly description: string;
  /** `client-id`, and what the group has besides. */
  readonly tags: MetricTags;
  /** `NaN` where an average, a maximum or a minimum has nothing to speak of. */
  readonly value: number;
}

/**
 * All metrics of one client. Nothing runs in the background: values are computed when somebody asks.
 *
 * @example
 * const topic = registry.group("topic-metrics", { topic: "orders" });
 * const sent = topic.sensor([...meter("byte", "Bytes sent"), ...avgAndMax("batch-size", "bytes of a batch")]);
 * sent.record(512, clock.now());
 * topic.remove();
 */
export class MetricRegistry {
  readonly #kind: ClientKind;
  readonly #clientId: string;
  readonly #clock: Clock;
  readonly #sampling: Sampling;
  readonly #groups = new Map<string, MetricGroup>();

  constructor(kind: ClientKind, clientId: string, clock: Clock, { numSamples, sampleWindowMs }: Sampling) {
    this.#kind = kind;
    this.#clientId = clientId;
    this.#clock = clock;
    this.#sampling = { numSamples, sampleWindowMs };
  }

  /**
   * The group of these tags; there is one of each, whoever asks first.
   *
   * @param name without the kind of client, such as `node-metrics`
   * @param tags besides `client-id`
   */
  group(name: string, tags: MetricTags = {}): MetricGroup {
    const key = JSON.stringify([name, ...Object.entries(tags).sort(([a], [b]) => (a < b ? -1 : 1))]);
    let group = this.#groups.get(key);
    if (group === undefined) {
      const allTags = Object.freeze({ "client-id": this.#clientId, ...tags });
      group = new MetricGroup(`${this.#kind}-${name}`, allTags, this.#sampling, (removed) => {
        if (this.#groups.get(key) === removed) this.#groups.delete(key);
      });
      this.#groups.set(key, group);
    }
    return group;
  }

  /** All metrics as they are now. */
  metrics(): Metric[] {
    const nowMs = this.#clock.now();
    return [...this.#groups.values()].flatMap((group) => group.metrics(nowMs));
  }
}

/** The metrics that share a group and tags, and go together: of a client, a node, a topic or a partition. */
export class MetricGroup {
  readonly #name: string;
  readonly #tags: MetricTags;
  readonly #sampling: Sampling;
  readonly #onRemove: (group: MetricGroup) => void;
  readonly #names = new Set<string>();
  readonly #sources: ((nowMs: number) => Metric[])[] = [];

  constructor(name: string, tags: MetricTags, sampling: Sampling, onRemove: (group: MetricGroup) => void) {
    this.#name = name;
    this.#tags = tags;
    this.#sampling = sampling;
    this.#onRemove = onRemove;
  }

  /** A sensor, and the metrics that follow from what is recorded with it. */
  sensor(metrics: readonly SensorMetric[]): Sensor {
    const sensor = new Sensor(this.#sampling);
    this.#add(metrics, (nowMs) => {
      const summary = sensor.summary(nowMs);
      return metrics.map((metric) => this.#metric(metric, metric.measure(summary)));
    });
    return sensor;
  }

  /** The same for each entry of a table. */
  sensors<Table extends SensorTable>(table: Table): Sensors<Table> {
    const entries = Object.entries(table).map(([name, metrics]) => [name, this.sensor(metrics)] as const);
    // The names are those of the table, which `Object.fromEntries` does not know.
    return Object.fromEntries(entries) as Sensors<Table>;
  }

  /** A metric that is looked up when somebody asks. */
  gauge(metric: MetricDefinition, read: (nowMs: number) => number): void {
    this.#add([metric], (nowMs) => [this.#metric(metric, read(nowMs))]);
  }

  /** Forgets all of it: what it is of is gone. Sensors still take values, which nobody sees. */
  remove(): void {
    this.#onRemove(this);
  }

  metrics(nowMs: number): Metric[] {
    return this.#sources.flatMap((source) => source(nowMs));
  }

  /** @throws Error where a name is taken: a defect of this library */
  #add(metrics: readonly MetricDefinition[], source: (nowMs: number) => Metric[]): void {
    for (const { name } of metrics) {
      if (this.#names.has(name)) throw new Error(`metric ${name} is already in ${this.#name}`);
      this.#names.add(name);
    }
    this.#sources.push(source);
  }

  #metric({ name, description }: MetricDefinition, value: number): Metric {
    return { name, group: this.#name, description, tags: this.#tags, value };
  }
}
