import type { ConnectionOptions } from "node:tls";
import type { Clock } from "../clock.ts";
import { OptionsError } from "../errors.ts";
import type { OptionReader } from "../option-reader.ts";
import {
  type AssertionFunction,
  type AssertionOptions,
  type AssertionSource,
  answered,
  assertionSource,
  isFunction,
  isObject,
} from "./assertion-options.ts";
import { type BearerToken, checkedToken, extensionsAllowed, isExtensions } from "./bearer-token.ts";
import { BearerTokens, type TokenSource } from "./bearer-tokens.ts";
import { OAuthBearer } from "./oauthbearer.ts";
import type { OwnMechanism } from "./sasl-mechanism.ts";
import { credentialAllowed, isAnything, isCredential, secretOption, withheld } from "./secret-option.ts";
import { TokenEndpoint, type TokenEndpointSettings, type TokenRequest } from "./token-endpoint.ts";
import { clientAssertionRequest, clientSecretRequest, jwtBearerRequest } from "./token-grants.ts";

/** What all clients with tokens have in common. */
interface TokenOptions {
  readonly mechanism: "OAUTHBEARER";
  /** First wait before a token is asked for again, milliseconds; doubles up to `loginRetryBackoffMaxMs`. @default 100 */
  readonly loginRetryBackoffMs?: number;
  /** Longest wait before a token is asked for again, milliseconds. @default 10_000 */
  readonly loginRetryBackoffMaxMs?: number;
}

/** Tokens from a function. */
export interface TokenFunctionOptions extends TokenOptions {
  /**
   * Gives a token that holds. It is called before the first connection authenticates, and again when 80 to 85 % of the
   * token's life are over; all connections of the client show the same.
   *
   * What it throws is told, so it must hold no secret; then it is called again later, unless it is a KafkaError that is
   * not `retriable`.
   */
  readonly token: () => BearerToken | Promise<BearerToken>;
}

/** Tokens from an identity provider, by OAuth 2.0. */
interface TokenEndpointOptions extends TokenOptions {
  /** Where to ask for tokens: a URL of `https:`, or of `http:` where it is a loopback address. It goes through no proxy. */
  readonly tokenEndpointUrl: string;
  /** What the token is to allow. @default what the provider thinks fit */
  readonly scope?: string;
  /** What goes to the broker beside the token (KIP-342), such as `logicalCluster`. @default none */
  readonly extensions?: Readonly<Record<string, string>>;
  /** How to speak TLS with it, as `tls.connect` of Node takes it, such as `ca`. @default as Node does */
  readonly tokenEndpointTls?: ConnectionOptions;
  /** How long DNS, TCP and TLS with it may take together, milliseconds. @default 5_000 */
  readonly loginConnectTimeoutMs?: number;
  /** How long its whole answer may take from then on, milliseconds. @default 5_000 */
  readonly loginReadTimeoutMs?: number;
}

/** The client proves who it is with a secret: the grant `client_credentials`. */
export interface ClientSecretOptions extends TokenEndpointOptions {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Whether id and secret are encoded as for a URL, which RFC 6749 demands and many providers do not. @default false */
  readonly headerUrlencode?: boolean;
}

/** The client proves who it is with an assertion instead of a secret: `client_credentials` with `client_assertion` (KIP-1258). */
export interface ClientAssertionOptions extends TokenEndpointOptions {
  /** @default it is in the assertion */
  readonly clientId?: string;
  readonly clientAssertion: AssertionOptions | AssertionFunction;
}

/** An assertion says for whom the token is: the grant `urn:ietf:params:oauth:grant-type:jwt-bearer` (KIP-1139). */
export interface JwtBearerOptions extends TokenEndpointOptions {
  readonly assertion: AssertionOptions | AssertionFunction;
}

export type OAuthBearerOptions = TokenFunctionOptions | ClientSecretOptions | ClientAssertionOptions | JwtBearerOptions;

/** What a client can prove itself with to an identity provider; one of them. */
const proofs = ["clientSecret", "clientAssertion", "assertion"] as const;

/** @param reader of the option `sasl`, whose mechanism has been read */
export function resolveOAuthBearer(reader: OptionReader): (clock: Clock) => OwnMechanism {
  const source = reader.has("tokenEndpointUrl") ? endpointSource(reader) : functionSource(reader);
  const retryBackoffMs = reader.integer("loginRetryBackoffMs", 100, 0);
  const retryBackoffMaxMs = reader.integer("loginRetryBackoffMaxMs", 10_000, 0);
  reader.finish();
  return (clock) => new OAuthBearer(new BearerTokens(source(clock), clock, { retryBackoffMs, retryBackoffMaxMs }));
}

function functionSource(reader: OptionReader): (clock: Clock) => TokenSource {
  const allowed = "a function that gives a token, or sasl.tokenEndpointUrl in its place,";
  const token = secretOption(reader, "sasl", "token", isFunction, allowed);
  return () => async () => checkedToken(await answered(token, "sasl.token"), "sasl.token");
}

function endpointSource(reader: OptionReader): (clock: Clock) => TokenSource {
  const settings: TokenEndpointSettings = {
    url: endpointUrl(reader),
    tls: reader.has("tokenEndpointTls")
      ? secretOption(reader, "sasl", "tokenEndpointTls", isUsable, "an object of options that node:tls can use")
      : {},
    connectTimeoutMs: reader.integer("loginConnectTimeoutMs", 5_000, 1),
    readTimeoutMs: reader.integer("loginReadTimeoutMs", 5_000, 1),
  };
  const extensions = Object.freeze({ ...reader.value("extensions", {}, isExtensions, extensionsAllowed) });
  const request = tokenRequest(reader);
  return (clock) => {
    const endpoint = new TokenEndpoint(settings, clock);
    return async (signal) => ({ ...(await endpoint.token(await request(clock), signal)), extensions });
  };
}

function tokenRequest(reader: OptionReader): (clock: Clock) => Promise<TokenRequest> {
  const [proof, another] = proofs.filter((name) => reader.has(name));
  if (another !== undefined) throw new OptionsError(`sasl.${another}`, {}, `nothing beside sasl.${proof}`);
  const scope = reader.string("scope", null);
  if (proof === "assertion") {
    const assertion = assertionOf(reader, proof);
    return async (clock) => jwtBearerRequest(await assertion(clock), scope);
  }
  if (proof === "clientAssertion") {
    const assertion = assertionOf(reader, proof);
    const clientId = reader.string("clientId", null);
    return async (clock) => clientAssertionRequest(await assertion(clock), clientId, scope);
  }
  const allowed = `${credentialAllowed}, or sasl.clientAssertion or sasl.assertion in its place,`;
  const clientSecret = secretOption(reader, "sasl", "clientSecret", isCredential, allowed);
  const headerUrlencode = reader.boolean("headerUrlencode", false);
  const clientId = reader.required("clientId", isCredential, credentialAllowed);
  if (clientId.includes(":") && !headerUrlencode) {
    // It would part id and secret in the wrong place; or the secret is in here too.
    throw new OptionsError("sasl.clientId", withheld(clientId), "a text without a colon, or sasl.headerUrlencode,");
  }
  const request = clientSecretRequest({ clientId, clientSecret, headerUrlencode }, scope);
  return async () => request;
}

const assertionOf = (reader: OptionReader, name: "assertion" | "clientAssertion"): AssertionSource =>
  assertionSource(reader.value<unknown>(name, undefined, isAnything, "anything"), `sasl.${name}`);

function endpointUrl(reader: OptionReader): URL {
  const given = secretOption(reader, "sasl", "tokenEndpointUrl", isCredential, "a URL");
  const url = URL.canParse(given) ? new URL(given) : null;
  const isSafe = url?.protocol === "https:" || (url?.protocol === "http:" && isLoopback(url.hostname));
  if (url !== null && isSafe && url.username === "" && url.password === "") return url;
  const shown = url === null ? withheld(given) : `${url.protocol}//${url.host}${url.pathname}`;
  const allowed = "a URL of https:, or of http: where it is a loopback address, without a name and password in it,";
  throw new OptionsError("sasl.tokenEndpointUrl", shown, allowed);
}

/** As URLs write them: numbers are made decimal, names lower case. */
const isLoopback = (hostname: string): boolean =>
  hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);

const loadTls = (): typeof import("node:tls") => require("node:tls");

/** Whether OpenSSL takes it. What it says against it may quote a key. */
function isUsable(value: unknown): value is ConnectionOptions {
  try {
    if (!isObject(value)) return false;
    loadTls().createSecureContext(value);
    return true;
  } catch {
    return false;
  }
}
