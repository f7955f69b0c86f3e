import type { Clock } from "../clock.ts";
import { OptionsError } from "../errors.ts";
import { OptionReader } from "../option-reader.ts";
import { isObject } from "./assertion-options.ts";
import { type OAuthBearerOptions, resolveOAuthBearer } from "./oauthbearer-options.ts";
import { Plain } from "./plain.ts";
import type { OwnMechanism, SaslMechanism } from "./sasl-mechanism.ts";
import { saslPrepared } from "./sasl-prep.ts";
import { Scram, type ScramName, scramNames } from "./scram.ts";
import { credentialAllowed, isAnything, isCredential, secretOption, withheld } from "./secret-option.ts";

/** Name and password, which the broker gets to see: use it with `ssl`. */
export interface PlainOptions {
  readonly mechanism: "PLAIN";
  readonly username: string;
  readonly password: string;
}

/** Name and password, of which the broker gets a proof and gives one back. */
export interface ScramOptions {
  readonly mechanism: ScramName;
  readonly username: string;
  readonly password: string;
  /** Whether they are the id and the HMAC of a delegation token (KIP-48). @default false */
  readonly tokenAuth?: boolean;
  /**
   * Whether both are prepared by SASLprep (RFC 4013), as RFC 5802 wants it. Kafka does not: what its tools set as
   * password are the bytes that were typed, and one that is not plain ASCII would not log in any more.
   *
   * @default false
   */
  readonly saslPrep?: boolean;
}

/** A mechanism of one's own, such as AWS_MSK_IAM or GSSAPI. */
export interface CustomSaslOptions {
  readonly mechanism: SaslMechanism;
}

/** How a client proves who it is, by SASL. */
export type SaslOptions = PlainOptions | ScramOptions | OAuthBearerOptions | CustomSaslOptions;

const allowedMechanisms = ["PLAIN", ...scramNames, "OAUTHBEARER"].join(", ");

/**
 * Reads the option `sasl`.
 *
 * @returns what makes the mechanism, once for each client; `null` where the client does not authenticate by SASL
 * @throws OptionsError that shows no secret
 */
export function resolveSasl(value: unknown): ((clock: Clock) => OwnMechanism) | null {
  if ((value ?? null) === null) return null;
  if (!isObject(value)) throw new OptionsError("sasl", withheld(value), "an object");
  const reader = new OptionReader(value, "sasl");
  const mechanism = reader.value<unknown>("mechanism", undefined, isAnything, "anything");
  if (mechanism === "OAUTHBEARER") return resolveOAuthBearer(reader);
  const scram = scramNames.find((name) => name === mechanism);
  if (scram !== undefined) return resolveScram(reader, scram);
  if (mechanism === "PLAIN") return resolvePlain(reader);
  if (!isMechanism(mechanism)) {
    const allowed = `one of ${allowedMechanisms}, or an object with name and authenticate,`;
    throw new OptionsError("sasl.mechanism", mechanism, allowed);
  }
  reader.finish();
  const own: OwnMechanism = {
    name: mechanism.name,
    authenticate: (exchange, peer) => mechanism.authenticate(exchange, peer),
  };
  return () => own;
}

function resolvePlain(reader: OptionReader): () => SaslMechanism {
  const { username, password } = credentials(reader);
  reader.finish();
  return () => new Plain(username, password);
}

function resolveScram(reader: OptionReader, name: ScramName): () => SaslMechanism {
  const tokenAuth = reader.boolean("tokenAuth", false);
  const given = credentials(reader);
  const { username, password } = reader.boolean("saslPrep", false) ? prepared(given) : given;
  reader.finish();
  return () => new Scram(name, { username, password, tokenAuth });
}

interface Credentials {
  readonly username: string;
  readonly password: string;
}

const credentials = (reader: OptionReader): Credentials => ({
  username: reader.required("username", isCredential, credentialAllowed),
  password: secretOption(reader, "sasl", "password", isCredential, credentialAllowed),
});

function prepared({ username, password }: Credentials): Credentials {
  const allowed = "a text that SASLprep (RFC 4013) takes";
  const preparedName = saslPrepared(username);
  if (preparedName === null) throw new OptionsError("sasl.username", username, allowed);
  const preparedPassword = saslPrepared(password);
  if (preparedPassword === null) throw new OptionsError("sasl.password", withheld(password), allowed);
  return { username: preparedName, password: preparedPassword };
}

const isMechanism = (value: unknown): value is SaslMechanism =>
  typeof value === "object" &&
  value !== null &&
  "name" in value &&
  typeof value.name === "string" &&
  value.name !== "" &&
  "authenticate" in value &&
  typeof value.authenticate === "function";
