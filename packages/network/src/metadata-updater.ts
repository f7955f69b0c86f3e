import { UnsupportedVersionError } from "@odradek/protocol";
import { Metadata as MetadataApi } from "@odradek/protocol/messages/metadata";
import type { BrokerConnections } from "./broker-connections.ts";
import { Alarm, type Clock } from "./clock.ts";
import type { Connection } from "./connection.ts";
import type { Metadata } from "./metadata.ts";
import { State } from "./state.ts";

const updaterStates = () =>
  new State("idle", {
    idle: ["asking", "closed"], // waits for an update to be due, or for a broker to ask
    asking: ["idle", "closed"], // one question at a time
    closed: [],
  });

export interface MetadataUpdaterOptions {
  /** Whether a question may create the topics that it asks for, where the broker does that. */
  readonly allowAutoTopicCreation: boolean;
  /** Called after every answer, and after every question that came to nothing. */
  readonly onUpdate: () => void;
}

/** Asks the cluster for metadata whenever that is due. Source: Kafka's `DefaultMetadataUpdater`. */
export class MetadataUpdater {
  readonly #metadata: Metadata;
  readonly #connections: BrokerConnections;
  readonly #clock: Clock;
  readonly #options: MetadataUpdaterOptions;
  readonly #alarm: Alarm;
  readonly #state = updaterStates();
  #lastError: Error | null = null;

  constructor(metadata: Metadata, connections: BrokerConnections, clock: Clock, options: MetadataUpdaterOptions) {
    this.#metadata = metadata;
    this.#connections = connections;
    this.#clock = clock;
    this.#options = options;
    this.#alarm = new Alarm(clock, () => this.updateIfDue());
  }

  /** Why the last question came to nothing; `null` where it did not. */
  get lastError(): Error | null {
    return this.#lastError;
  }

  /** The last error if asking again will not mend it: the brokers have no metadata that we could read. */
  get fatalError(): Error | null {
    return this.#lastError instanceof UnsupportedVersionError ? this.#lastError : null;
  }

  /** Asks if it is time and somebody can be asked, and else sees to it that it will be looked at again. */
  updateIfDue(): void {
    if (!this.#state.is("idle")) return;
    const dueAtMs = this.#metadata.dueAtMs;
    if (dueAtMs > this.#clock.now()) {
      this.#alarm.set(dueAtMs);
      return;
    }
    const nodes = [...this.#metadata.snapshot.nodes.values()];
    const connection = this.#connections.leastLoaded(nodes, "main");
    if (connection === null) this.#alarm.set(this.#connections.nextRetryAtMs(nodes, "main"));
    else void this.#ask(connection);
  }

  /** Asks nobody any more; an answer that is under way is not looked at. */
  close(): void {
    if (!this.#state.is("closed")) this.#state.to("closed");
    this.#alarm.cancel();
  }

  async #ask(connection: Connection): Promise<void> {
    this.#state.to("asking");
    this.#alarm.cancel();
    this.#metadata.started();
    try {
      const version = connection.versions.usableVersion(MetadataApi);
      const topics = [...this.#metadata.topics].map((name) => ({ name }));
      const question = { topics, allowAutoTopicCreation: this.#options.allowAutoTopicCreation };
      const response = await connection.request(MetadataApi, version, question);
      this.#metadata.update(response, version);
      this.#connections.retain(this.#metadata.snapshot.nodes.values());
      this.#lastError = null;
    } catch (error) {
      this.#metadata.failed();
      this.#lastError = error instanceof Error ? error : new Error(String(error));
    }
    if (this.#state.is("closed")) return;
    this.#state.to("idle");
    this.#options.onUpdate();
  }
}
