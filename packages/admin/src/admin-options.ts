import {
  type ClientDefaults,
  type ClientOptions,
  type NetworkOptions,
  OptionReader,
  resolveClientOptions,
} from "@odradek/network";

/** What `KafkaAdmin` takes. Names, meaning and defaults are those of Kafka's Java client. */
export type AdminOptions = ClientOptions;

/** Java's admin client puts no limit of its own on a connection; one is kept so that a stuck broker shows. */
const maxInFlightRequestsPerConnection = 100;

/** Calls are rare and connections to every broker many: Java's admin client lets go of them sooner than the others. */
const defaults: ClientDefaults = Object.freeze({ connectionsMaxIdleMs: 300_000 });

/** @throws OptionsError naming option, value and what is allowed */
export function resolveAdminOptions(options: AdminOptions): NetworkOptions {
  const reader = new OptionReader(options);
  const resolved = { ...resolveClientOptions(reader, defaults), maxInFlightRequestsPerConnection };
  reader.finish();
  // Who asks about a topic does not mean to create it.
  return Object.freeze({ ...resolved, allowAutoCreateTopics: false });
}
