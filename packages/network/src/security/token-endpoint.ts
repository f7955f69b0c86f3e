import type { IncomingMessage } from "node:http";
import type { ConnectionOptions } from "node:tls";
import { urlToHttpOptions } from "node:url";
import type { Clock, Timer } from "../clock.ts";
import { ConnectionError } from "../errors.ts";
import { type BearerToken, checkedToken, expiryOf } from "./bearer-token.ts";
import { SaslError } from "./sasl-error.ts";
import { tlsFailure } from "./tls-failure.ts";

const loadHttps = (): typeof import("node:https") => require("node:https");
const loadHttp = (): typeof import("node:http") => require("node:http");

/** A token takes some kilobytes. */
const maxAnswerBytes = 1_048_576;

/** What RFC 6749 and its extensions have as `error`; anything else could be anything. */
const plainWord = /^[a-z_]{1,64}$/;

/** Statuses of which the next attempt may know nothing. Those of 500 and more are such too, but for these two. */
const transient: ReadonlySet<number> = new Set([408, 425, 429]);
const lasting: ReadonlySet<number> = new Set([501, 505]);

export interface TokenEndpointSettings {
  /** Of `https:`, or of `http:` on this machine. */
  readonly url: URL;
  readonly tls: ConnectionOptions;
  /** For DNS, TCP and TLS together. */
  readonly connectTimeoutMs: number;
  /** From then on, until the last byte of the answer. */
  readonly readTimeoutMs: number;
}

/** What is asked of the endpoint: a grant of OAuth 2.0. */
export interface TokenRequest {
  readonly form: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
}

interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

/**
 * Asks an identity provider for tokens (RFC 6749). It goes where it was told and nowhere else: no redirects, no
 * proxies. Nothing that it sends or gets is told in an error, but the status and the code of OAuth.
 */
export class TokenEndpoint {
  readonly #settings: TokenEndpointSettings;
  readonly #clock: Clock;
  /** Without its query, which may hold a secret. */
  readonly #where: string;

  constructor(settings: TokenEndpointSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
    this.#where = `the token endpoint ${settings.url.origin}${settings.url.pathname}`;
  }

  /**
   * @throws ConnectionError, which is retriable, where it gives none right now
   * @throws SaslError where it will not give any
   */
  async token(request: TokenRequest, signal?: AbortSignal): Promise<BearerToken> {
    const { status, body } = await this.#post(request, signal);
    if (status !== 200 && status !== 201) throw this.#refusal(status, body);
    const answer = parsed(body);
    // Some name it after what OpenID Connect gives beside it. Source: Kafka's `JwtResponseParser`, which takes either.
    const value = answer["access_token"] ?? answer["id_token"];
    if (typeof value !== "string" || value === "") throw this.#useless("without an access_token");
    const expiresAtMs = this.#expiryOf(value, answer["expires_in"]);
    if (expiresAtMs === null) throw this.#useless("that says nowhere when the token expires");
    return checkedToken({ value, expiresAtMs }, this.#where);
  }

  /** What the endpoint says counts first, since it does not depend on whether its clock and ours agree. */
  #expiryOf(value: string, expiresIn: unknown): number | null {
    // Some write it as a text.
    const seconds = typeof expiresIn === "string" && /^\d{1,10}$/.test(expiresIn) ? Number(expiresIn) : expiresIn;
    if (typeof seconds !== "number" || !Number.isFinite(seconds)) return expiryOf(value);
    return this.#clock.wallTimeMs() + seconds * 1000;
  }

  #refusal(status: number, body: Buffer): Error {
    const { error } = parsed(body);
    const word = typeof error === "string" && plainWord.test(error) ? ` (${error})` : "";
    const text = `${this.#where} answered with status ${status}${word}`;
    if (transient.has(status) || (status >= 500 && !lasting.has(status))) return new ConnectionError(null, text);
    const hint = status >= 300 && status < 400 ? "; redirects are not followed" : "";
    return new SaslError("credentialsUnavailable", text + hint);
  }

  #useless(what: string): SaslError {
    return new SaslError("credentialsUnavailable", `${this.#where} gave an answer ${what}`);
  }

  #post({ form, headers }: TokenRequest, signal: AbortSignal | undefined): Promise<Answer> {
    const { url, tls, connectTimeoutMs, readTimeoutMs } = this.#settings;
    const body = Buffer.from(new URLSearchParams({ ...form }).toString());
    const isSecure = url.protocol === "https:";
    return new Promise((resolve, reject) => {
      let isConnected = false;
      let isAnswered = false;
      let limit: Timer | null = null;
      let overdue: Error | null = null;
      const fail = (error: Error): void => {
        limit?.cancel();
        reject(this.#failure(overdue ?? error, isSecure && !isConnected));
      };
      const request = (isSecure ? loadHttps() : loadHttp()).request({
        ...(isSecure ? tls : {}),
        ...urlToHttpOptions(url),
        method: "POST",
        // A connection of its own, which ends with the answer: tokens are asked for once in a while.
        agent: false,
        signal,
        headers: {
          accept: "application/json",
          "cache-control": "no-cache",
          "content-type": "application/x-www-form-urlencoded",
          "content-length": body.length,
          ...headers,
        },
      });
      const endAfter = (ms: number, what: string): void => {
        limit?.cancel();
        limit = this.#clock.after(ms, () => {
          overdue = new Error(`${what} within ${ms} ms`);
          request.destroy(overdue);
        });
      };
      endAfter(connectTimeoutMs, "no connection");
      request.on("socket", (socket) => {
        socket.once(isSecure ? "secureConnect" : "connect", () => {
          isConnected = true;
          endAfter(readTimeoutMs, "no answer");
        });
      });
      request.on("response", (response) => {
        isAnswered = true;
        collect(response).then((answer) => {
          limit?.cancel();
          resolve({ status: response.statusCode ?? 0, body: answer });
        }, fail);
      });
      request.on("error", fail);
      request.on("close", () => {
        // What is left of an answer is still to be read then.
        if (!isAnswered) fail(new Error("closed before there was an answer"));
      });
      request.end(body);
    });
  }

  #failure(error: Error, isConnecting: boolean): Error {
    const { url } = this.#settings;
    const progress = { host: url.hostname, isSecure: false, isNegotiated: false, hasCertificate: false };
    if (isConnecting && tlsFailure(error, progress).reason !== null) {
      const text = `${this.#where} cannot be trusted: ${error.message}; see tokenEndpointTls`;
      return new SaslError("credentialsUnavailable", text, { cause: error });
    }
    return new ConnectionError(null, `${this.#where} cannot be asked: ${error.message}`, { cause: error });
  }
}

/** All of an answer. @throws where it is too long, or ends before its end */
async function collect(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // A stream without an encoding gives buffers.
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    // Leaving the loop destroys the connection.
    if (bytes > maxAnswerBytes) throw new Error(`an answer of more than ${maxAnswerBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** What is no object has no fields. What the engine says of it would quote it. */
function parsed(body: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
