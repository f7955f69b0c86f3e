import { createPrivateKey, KeyObject } from "node:crypto";
import { KafkaError } from "@odradek/protocol";
import type { Clock } from "../clock.ts";
import { ConnectionError, OptionsError } from "../errors.ts";
import { OptionReader } from "../option-reader.ts";
import { type AssertionSettings, jwtAssertion } from "./jwt-assertion.ts";
import { SaslError } from "./sasl-error.ts";
import { credentialAllowed, isCredential, secretOption, withheld } from "./secret-option.ts";

/** A JSON Web Token that the client signs anew for each request. Names are those of KIP-1139, after `sasl.oauthbearer.assertion.`. */
export interface AssertionOptions {
  /** The key to sign with: PEM, or what `createPrivateKey` of `node:crypto` gives. */
  readonly privateKey: string | KeyObject;
  /** What the PEM is encrypted with. @default it is not */
  readonly passphrase?: string;
  /** How to sign: RS256 with an RSA key, ES256 with one of the curve P-256. @default "RS256" */
  readonly algorithm?: "RS256" | "ES256";
  /** Says which key it is, in the header (`kid`). @default none */
  readonly keyId?: string;
  /** Who signs (`iss`), mostly the client's id. @default none */
  readonly issuer?: string;
  /** Who is meant (`sub`). @default none */
  readonly subject?: string;
  /** For whom it is (`aud`), mostly the identity provider. @default none */
  readonly audience?: string;
  /** How long it holds (`exp`), milliseconds; whole seconds are signed. @default 300_000 */
  readonly lifetimeMs?: number;
  /** How long before now it begins to hold (`nbf`), for clocks that differ, milliseconds. @default 60_000 */
  readonly notBeforeMs?: number;
  /** Whether each has an id of its own (`jti`). @default false */
  readonly includeJti?: boolean;
  /** Further claims. Those that have an option of their own are taken from there. @default none */
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** Gives an assertion that somebody else has signed. What it throws is told, so it must hold no secret. */
export type AssertionFunction = () => string | Promise<string>;

/** Makes an assertion for one request. */
export type AssertionSource = (clock: Clock) => Promise<string>;

const dayMs = 86_400_000;
const hourMs = 3_600_000;

/** @param path where the option stands, such as `sasl.assertion` */
export function assertionSource(given: unknown, path: string): AssertionSource {
  if (isFunction(given)) {
    return async () => {
      const assertion = await answered(given, path);
      if (typeof assertion === "string" && /^[!-~]+$/.test(assertion)) return assertion;
      throw new SaslError("credentialsUnavailable", `${path} gave no assertion, which is a text of visible ASCII`);
    };
  }
  if (!isObject(given)) {
    throw new OptionsError(
      path,
      withheld(given),
      "an object with a privateKey, or a function that gives an assertion,",
    );
  }
  const settings = resolveAssertion(given, path);
  return (clock) => jwtAssertion(settings, clock);
}

function resolveAssertion(given: object, path: string): AssertionSettings {
  const reader = new OptionReader(given, path);
  const algorithm = reader.oneOf("algorithm", "RS256", ["RS256", "ES256"]);
  const settings = {
    privateKey: privateKeyOf(reader, path, algorithm),
    algorithm,
    keyId: reader.string("keyId", null),
    issuer: reader.string("issuer", null),
    subject: reader.string("subject", null),
    audience: reader.string("audience", null),
    lifetimeMs: reader.integer("lifetimeMs", 300_000, 1_000, dayMs),
    notBeforeMs: reader.integer("notBeforeMs", 60_000, 0, hourMs),
    includeJti: reader.boolean("includeJti", false),
    claims: reader.value("claims", {}, isJson, "an object that has a JSON form"),
  };
  reader.finish();
  return settings;
}

function privateKeyOf(reader: OptionReader, path: string, algorithm: AssertionSettings["algorithm"]): KeyObject {
  const allowed = `a private key ${algorithm === "RS256" ? "of RSA" : "of the curve P-256"}, as PEM or KeyObject,`;
  const given = secretOption(reader, path, "privateKey", isKey, allowed);
  const passphrase = reader.has("passphrase")
    ? secretOption(reader, path, "passphrase", isCredential, credentialAllowed)
    : undefined;
  const key = typeof given === "string" ? parsedKey(given, passphrase) : given;
  const isFitting =
    key?.type === "private" &&
    (algorithm === "RS256"
      ? key.asymmetricKeyType === "rsa"
      : key.asymmetricKeyType === "ec" && key.asymmetricKeyDetails?.namedCurve === "prime256v1");
  if (key === null || !isFitting) {
    const hint = passphrase === undefined ? "" : " and with this passphrase";
    throw new OptionsError(`${path}.privateKey`, withheld(given), allowed.replace(/,$/, `${hint},`));
  }
  return key;
}

function parsedKey(pem: string, passphrase: string | undefined): KeyObject | null {
  try {
    return createPrivateKey({ key: pem, format: "pem", ...(passphrase !== undefined && { passphrase }) });
  } catch {
    return null;
  }
}

/**
 * Asks a function of the user. Most that fails there is a service that does not answer, so it is asked again later,
 * unless it says by a KafkaError that this is of no use.
 *
 * @param path opens the message
 */
export async function answered(ask: () => unknown, path: string): Promise<unknown> {
  try {
    return await ask();
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : "it threw no Error";
    // The error itself is not told: that of an HTTP client shows the request, and with it the secret.
    if (!(cause instanceof KafkaError)) throw new ConnectionError(null, `${path} failed: ${words}`);
    if (cause.retriable) throw cause;
    throw new SaslError("credentialsUnavailable", `${path} failed: ${words}`, { cause });
  }
}

export const isFunction = (value: unknown): value is () => unknown => typeof value === "function";

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isKey = (value: unknown): value is string | KeyObject => isCredential(value) || value instanceof KeyObject;

function isJson(value: unknown): value is Readonly<Record<string, unknown>> {
  try {
    return isObject(value) && typeof JSON.stringify(value) === "string";
  } catch {
    return false;
  }
}
