import { type KeyObject, randomUUID, sign } from "node:crypto";
import { promisify } from "node:util";
import type { Clock } from "../clock.ts";

/** How a client proves who it is to an identity provider: a JSON Web Token that it has signed itself (RFC 7523). */
export interface AssertionSettings {
  readonly privateKey: KeyObject;
  readonly algorithm: "RS256" | "ES256";
  /** `kid` of the header. */
  readonly keyId: string | null;
  readonly issuer: string | null;
  readonly subject: string | null;
  readonly audience: string | null;
  readonly lifetimeMs: number;
  readonly notBeforeMs: number;
  readonly includeJti: boolean;
  /** Further claims; those above go before them. */
  readonly claims: Readonly<Record<string, unknown>>;
}

/** Runs on another thread: a signature takes milliseconds. */
const signatureOf = promisify(sign);

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A new assertion, which holds from `notBeforeMs` ago until `lifetimeMs` from now. Source: KIP-1139. */
export async function jwtAssertion(settings: AssertionSettings, clock: Clock): Promise<string> {
  const { privateKey, algorithm, keyId, issuer, subject, audience, lifetimeMs, notBeforeMs, includeJti } = settings;
  const issuedAt = Math.floor(clock.wallTimeMs() / 1000);
  const header = { alg: algorithm, typ: "JWT", ...(keyId !== null && { kid: keyId }) };
  const claims = {
    ...settings.claims,
    ...(issuer !== null && { iss: issuer }),
    ...(subject !== null && { sub: subject }),
    ...(audience !== null && { aud: audience }),
    iat: issuedAt,
    nbf: issuedAt - Math.ceil(notBeforeMs / 1000),
    exp: issuedAt + Math.ceil(lifetimeMs / 1000),
    ...(includeJti && { jti: randomUUID() }),
  };
  const signed = `${base64url(header)}.${base64url(claims)}`;
  // JWS has the two numbers of an ECDSA signature one behind the other, without ASN.1 around them.
  const signature = await signatureOf("sha256", Buffer.from(signed), { key: privateKey, dsaEncoding: "ieee-p1363" });
  return `${signed}.${signature.toString("base64url")}`;
}
