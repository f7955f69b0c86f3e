import {
  type Api,
  BrokerError,
  brokerErrorByCode,
  type Fields,
  type Input,
  inOneLine,
  KafkaError,
  type Output,
} from "@odradek/protocol";
import { SaslAuthenticate } from "@odradek/protocol/messages/sasl-authenticate";
import { SaslHandshake } from "@odradek/protocol/messages/sasl-handshake";
import { type Address, AuthenticationError, type AuthenticationFailure, ConnectionError } from "../errors.ts";
import type { NodeApiVersions } from "../node-api-versions.ts";
import { SaslError } from "./sasl-error.ts";
import type { SaslMechanism } from "./sasl-mechanism.ts";

/** What an authentication needs of a connection. */
export interface SaslChannel {
  readonly address: Address;
  readonly versions: NodeApiVersions;
  /** The broker is about to be told of the mechanism. @throws where that cannot be now */
  begin(): void;
  ask<Req extends Fields, Res extends Fields>(
    api: Api<Req, Res>,
    version: number,
    body: Input<Req>,
  ): Promise<Output<Res>>;
  /** Sends bytes behind their length, without any header, and gives the bytes of the answer, which came likewise. */
  askBare(bytes: Uint8Array): Promise<Buffer>;
}

/** Shorter parts of a token are no secrets, and may be words of any message. */
const leastSecretLength = 4;

/** Mechanisms part their tokens by NUL (PLAIN) or 0x01 (OAUTHBEARER), and a bearer token from its name by a space. */
const partsOf = (token: Uint8Array): string[] =>
  Buffer.from(token)
    .toString("utf8")
    .split(/[\p{Cc} ]/u)
    .filter(({ length }) => length >= leastSecretLength);

/** Errors of the broker that say more than that it refuses, by Kafka's name. */
const failures: Readonly<Partial<Record<string, AuthenticationFailure>>> = {
  UNSUPPORTED_SASL_MECHANISM: "mechanismRefused",
  ILLEGAL_SASL_STATE: "mechanismRefused",
  SASL_AUTHENTICATION_FAILED: "credentialsRefused",
};

/**
 * One authentication of one connection by one mechanism: names the mechanism to the broker, carries its tokens, and
 * says how the broker took it. Source: Kafka's `SaslClientAuthenticator`, KIP-43, KIP-152.
 */
export class SaslAuthenticator {
  readonly #channel: SaslChannel;
  readonly #mechanism: SaslMechanism;
  /** `null` while the broker has not been told of the mechanism. */
  #send: ((token: Uint8Array) => Promise<Buffer>) | null = null;
  /** What the broker, or the connection, answered to a token: it counts more than what the mechanism makes of it. */
  #refusal: Error | null = null;
  #sessionLifetimeMs = 0;
  /** The parts of the tokens that were sent: a password may be among them. */
  readonly #told: string[] = [];

  constructor(channel: SaslChannel, mechanism: SaslMechanism) {
    this.#channel = channel;
    this.#mechanism = mechanism;
  }

  /** Whether the broker was told of it. Before that, a failure leaves the connection as it was. */
  get hasBegun(): boolean {
    return this.#send !== null || this.#refusal !== null;
  }

  /**
   * @returns how long the broker lets the session live, milliseconds; 0 for as long as the connection
   * @throws AuthenticationError where the two sides do not trust each other; ConnectionError where credentials cannot be had
   *   right now; and what the connection throws
   */
  async run(): Promise<number> {
    try {
      const { host, port } = this.#channel.address;
      await this.#mechanism.authenticate((token) => this.#exchange(token), { host, port });
    } catch (error) {
      throw this.#refusal ?? this.#blamed(error);
    }
    if (this.#refusal !== null) throw this.#refusal;
    if (this.#send === null) throw this.#error("mechanismRefused", "the mechanism sent no token");
    return this.#sessionLifetimeMs;
  }

  async #exchange(token: Uint8Array): Promise<Buffer> {
    if (this.#refusal !== null) throw this.#refusal;
    if (this.#send === null) this.#channel.begin();
    this.#told.push(...partsOf(token));
    try {
      this.#send ??= await this.#handshake();
      return await this.#send(token);
    } catch (error) {
      this.#refusal = error instanceof Error ? error : new Error(String(error));
      throw this.#refusal;
    }
  }

  /** @returns how tokens travel from here on: before SaslAuthenticate (KIP-152) without any header */
  async #handshake(): Promise<(token: Uint8Array) => Promise<Buffer>> {
    const { versions } = this.#channel;
    const isBare = !versions.has(SaslAuthenticate);
    const version = versions.usableVersion(SaslHandshake, isBare ? { newest: 0 } : undefined);
    const { errorCode, mechanisms } = await this.#channel.ask(SaslHandshake, version, {
      mechanism: this.#mechanism.name,
    });
    if (errorCode !== 0) {
      const offer = mechanisms.length === 0 ? "it takes none" : `it takes ${mechanisms.join(", ")}`;
      throw this.#brokerError(errorCode, null, offer);
    }
    return version === 0 ? (token) => this.#channel.askBare(token) : (token) => this.#authenticate(token);
  }

  async #authenticate(token: Uint8Array): Promise<Buffer> {
    const version = this.#channel.versions.usableVersion(SaslAuthenticate);
    const answer = await this.#channel.ask(SaslAuthenticate, version, { authBytes: Buffer.from(token) });
    if (answer.errorCode !== 0) throw this.#brokerError(answer.errorCode, answer.errorMessage);
    this.#sessionLifetimeMs = Number(answer.sessionLifetimeMs);
    return answer.authBytes;
  }

  #brokerError(errorCode: number, brokerMessage: string | null, more?: string): KafkaError {
    const { name, message } = brokerErrorByCode(errorCode);
    const reason = failures[name];
    if (reason === undefined) return new BrokerError(errorCode, this.#about(), brokerMessage);
    const words = [brokerMessage || message, more].filter((part) => part !== undefined);
    return this.#error(reason, this.#withoutSecrets(`${name}: ${words.map(inOneLine).join("; ")}`));
  }

  /** What a mechanism threw of its own accord. */
  #blamed(error: unknown): Error {
    const text = error instanceof Error ? error.message : String(error);
    if (error instanceof KafkaError && error.retriable) {
      const { address } = this.#channel;
      return new ConnectionError(address, `no credentials for ${this.#mechanism.name}: ${text}`, { cause: error });
    }
    const reason = error instanceof SaslError ? error.reason : "credentialsUnavailable";
    return this.#error(reason, text, error);
  }

  /** A broker may repeat what it was told. */
  #withoutSecrets(text: string): string {
    return this.#told.reduce((rest, secret) => rest.replaceAll(secret, "…"), text);
  }

  #error(reason: AuthenticationFailure, text: string, cause?: unknown): AuthenticationError {
    return new AuthenticationError(this.#channel.address, this.#mechanism.name, reason, text, { cause });
  }

  #about(): string {
    const { host, port } = this.#channel.address;
    return `${this.#mechanism.name} authentication with ${host}:${port}`;
  }
}
