import { MetricRegistry } from "../../../network/src/observation/metric-registry.ts";
import { ManualClock } from "../../../network/test/manual-clock.ts";

/** Values by name. */
export type Values = Readonly<Record<string, number>>;

/** Where a consumer measures, and what is there to be seen. */
export function measured(clock = new ManualClock()) {
  const registry = new MetricRegistry("consumer", "c", clock, { numSamples: 2, sampleWindowMs: 30_000 });
  /** Of a topic, of a partition, or of neither. */
  const values = ({ topic, partition }: { readonly topic?: string; readonly partition?: number } = {}): Values =>
    Object.fromEntries(
      registry
        .metrics()
        .filter(({ tags }) => tags["topic"] === topic && tags["partition"] === partition?.toString())
        .map(({ name, value }) => [name, value]),
    );
  return { clock, registry, values };
}
