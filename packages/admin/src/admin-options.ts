import {
  type ClientDefaults,
  type ClientOptions,
  type NetworkOptions,
  OptionReader,
  OptionsError,
  resolveClientOptions,
} from "@odradek/network";

/** What an admin client takes that begins with controllers in place of brokers (KIP-919, Kafka 3.7 with KRaft). */
export interface ControllerClientOptions extends Omit<ClientOptions, "bootstrapServers"> {
  /**
   * Controllers to begin with, as `host:port` of a listener of theirs. Calls go to the active one, and those alone work that
   * controllers have: about the quorum, features, configs of nodes, and the controllers themselves as the cluster.
   */
  readonly bootstrapControllers: readonly string[];
}

/** What `KafkaAdmin` takes. Names, meaning and defaults are those of Kafka's Java client. */
export type AdminOptions = ClientOptions | ControllerClientOptions;

/** Java's admin client puts no limit of its own on a connection; one is kept so that a stuck broker shows. */
const maxInFlightRequestsPerConnection = 100;

/** Calls are rare and connections to every broker many: Java's admin client lets go of them sooner than the others. */
const connectionsMaxIdleMs = 300_000;

/** @throws OptionsError naming option, value and what is allowed */
export function resolveAdminOptions(options: AdminOptions): NetworkOptions {
  const reader = new OptionReader(options);
  const asksControllers = reader.has("bootstrapControllers");
  if (asksControllers && reader.has("bootstrapServers")) {
    throw new OptionsError("bootstrapControllers", "both", "either brokers or controllers to begin with");
  }
  const bootstrapOption = asksControllers ? "bootstrapControllers" : "bootstrapServers";
  const defaults: ClientDefaults = { connectionsMaxIdleMs, bootstrapOption };
  const resolved = { ...resolveClientOptions(reader, defaults), maxInFlightRequestsPerConnection, asksControllers };
  reader.finish();
  // Who asks about a topic does not mean to create it.
  return Object.freeze({ ...resolved, allowAutoCreateTopics: false });
}
