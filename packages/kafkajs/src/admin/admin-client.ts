import { type Clock, KafkaAdmin, KafkaError } from "odradek";
import { clientOptionsOf, requestTimeoutMs } from "../client/client-options.ts";
import { connectPatiently } from "../client/connecting.ts";
import type { Instrumentation } from "../client/instrumentation.ts";
import type { KafkaConfig } from "../client/kafka-config.ts";
import { requestListener } from "../client/request-events.ts";
import { givenUp } from "../errors/error-translation.ts";
import { longestMs } from "../given-number.ts";
import type { Logger } from "../logger.ts";
import { firstRetryMs, nextRetryMs, type ResolvedRetryOptions, totalRetryMs } from "../retry-options.ts";
import { brokerAnswer } from "./broker-answer.ts";

/** kafkajs has no option for it. */
const metadataMaxAge = 300_000;

/** What calls take about things that a broker may be long about. */
export interface OperationOptions {
  /** How long it may take before it answers REQUEST_TIMED_OUT, and carries it out all the same, milliseconds. @default 5_000 */
  timeout?: number;
}

export const defaultTimeout = 5_000;

export interface AdminClientParts {
  readonly config: KafkaConfig;
  readonly retry: ResolvedRetryOptions;
  readonly clock: Clock;
  readonly rootLogger: Logger;
  readonly logger: Logger;
  /** Is told of its requests. */
  readonly instrumentation: Instrumentation;
}

/** The admin client of the layer below: connected by the first who asks, and again by whoever asks after it was closed. */
export class AdminClient {
  readonly #parts: AdminClientParts;
  #open: Promise<KafkaAdmin> | null = null;
  #closing: Promise<void> | null = null;

  constructor(parts: AdminClientParts) {
    this.#parts = parts;
  }

  get logger(): Logger {
    return this.#parts.logger;
  }

  /** @throws KafkaJSNumberOfRetriesExceeded, KafkaJSSASLAuthenticationError, and what `clientOptionsOf` throws */
  async connect(): Promise<void> {
    await this.#admin();
  }

  /** Lets calls under way finish. */
  close(): Promise<void> {
    this.#closing ??= this.#close().finally(() => {
      this.#closing = null;
    });
    return this.#closing;
  }

  /**
   * @param passing types of errors after which it is asked again, as often as `retry` allows: a broker may not know yet
   * @throws what the question throws, errors of the layer below in kafkajs' words: those of brokers as they are, and all else that may
   *   pass as a KafkaJSNumberOfRetriesExceeded, since it was asked again below
   */
  async ask<T>(question: (admin: KafkaAdmin) => Promise<T>, passing: readonly string[] = []): Promise<T> {
    const { retry } = this.#parts;
    const admin = await this.#admin();
    let waitMs = firstRetryMs(retry);
    for (let left = retry.retries; ; left--) {
      try {
        return await question(admin);
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error;
        const answer = brokerAnswer(error);
        if (answer !== null && !passing.includes(answer.type ?? "")) throw answer;
        if (answer === null || left <= 0) throw this.givenUp(error);
        await this.pause(waitMs);
        waitMs = nextRetryMs(waitMs, retry);
      }
    }
  }

  /** What kafkajs makes of an error after which it asks again, and the layer below has. */
  givenUp(error: unknown): Error {
    return givenUp(error, this.#parts.retry);
  }

  /** Milliseconds that only go forward. */
  now(): number {
    return this.#parts.clock.now();
  }

  pause(waitMs: number): Promise<void> {
    return new Promise((resolve) => this.#parts.clock.after(waitMs, resolve));
  }

  async #admin(): Promise<KafkaAdmin> {
    await this.#closing;
    if (this.#open === null) {
      const opening = this.#connect();
      this.#open = opening;
      opening.catch(() => {
        if (this.#open === opening) this.#open = null;
      });
    }
    return this.#open;
  }

  async #connect(): Promise<KafkaAdmin> {
    const { config, retry, rootLogger, instrumentation } = this.#parts;
    const options = await clientOptionsOf({ config, retry, metadataMaxAge }, rootLogger.namespace("Cluster"));
    // As long as kafkajs goes on where brokers answer that it should try again, and one of them does not answer.
    const defaultApiTimeoutMs = Math.min(longestMs, Math.ceil(totalRetryMs(retry)) + requestTimeoutMs(config));
    let made: KafkaAdmin | null = null;
    try {
      const admin = new KafkaAdmin({ ...options, defaultApiTimeoutMs, diagnostics: requestListener(instrumentation) });
      made = admin;
      await connectPatiently((limits) => admin.connect(limits), { config, retry }, instrumentation);
      return admin;
    } catch (error) {
      await made?.close();
      throw this.givenUp(error);
    }
  }

  async #close(): Promise<void> {
    const opening = this.#open;
    this.#open = null;
    // Who has asked for the connection is told why there is none.
    const admin = await opening?.catch(() => null);
    await admin?.close();
  }
}
