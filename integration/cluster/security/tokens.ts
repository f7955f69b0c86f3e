import { generateKeyPairSync, type KeyObject, sign, verify } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { loopback } from "../ports.ts";
import { passwordOf } from "./users.ts";

/** A bearer token, in the shape that the client's `sasl.token` resolves with. */
export interface Token {
  readonly value: string;
  readonly expiresAtMs: number;
}

export interface TokenClaims {
  /**
   * Negative for a token that has expired.
   *
   * @default 1 hour
   */
  readonly lifetimeMs?: number;
  /** @default what the broker expects */
  readonly audience?: string;
  /** @default what the broker expects */
  readonly issuer?: string;
}

/** How clients may sign assertions. */
export type AssertionAlgorithm = "RS256" | "ES256";

const keyId = "k1";
const hourMs = 60 * 60 * 1000;
const minuteMs = 60 * 1000;

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const seconds = (ms: number): number => Math.floor(ms / 1000);

/** Signs the tokens that the listener OAUTH accepts, and hands them out over HTTP to clients with a secret. */
export class TokenIssuer {
  static readonly audience = "kafka";
  static readonly issuer = "odradek-issuer";
  /**
   * Takes the grant `client_credentials`, of clients with a secret, which is the password of the user of that name, and of clients with an
   * assertion; and the grant of an assertion (RFC 7523).
   */
  readonly endpointUrl: string;
  /** The public key, as the JSON Web Key Set that brokers check signatures with. */
  readonly jwks: string;
  readonly #server: Server;
  readonly #key: KeyObject;
  readonly #assertionKeys = {
    RS256: generateKeyPairSync("rsa", { modulusLength: 2048 }),
    ES256: generateKeyPairSync("ec", { namedCurve: "P-256" }),
  };

  private constructor(server: Server, port: number, key: KeyObject, jwks: string) {
    this.#server = server;
    this.#key = key;
    this.jwks = jwks;
    this.endpointUrl = `http://${loopback}:${port}/token`;
  }

  static async start(): Promise<TokenIssuer> {
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const jwks = JSON.stringify({ keys: [{ ...publicKey.export({ format: "jwk" }), kid: keyId, alg: "RS256" }] });
    const server = createServer();
    server.listen(0, loopback).unref();
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const issuer = new TokenIssuer(server, port, privateKey, jwks);
    server.on("request", (request: IncomingMessage, response: ServerResponse) => void issuer.#grant(request, response));
    return issuer;
  }

  /** A signed token that says who bears it. */
  token(subject: string, claims: TokenClaims = {}): Token {
    const { value, expiresAtMs } = unsigned({ alg: "RS256", kid: keyId }, subject, claims);
    return {
      value: `${value}.${sign("RSA-SHA256", Buffer.from(value), this.#key).toString("base64url")}`,
      expiresAtMs,
    };
  }

  /** A token without a signature, as SASL_PLAINTEXT and SASL_SSL accept it. */
  unsecuredToken(subject: string, claims: TokenClaims = {}): Token {
    const { value, expiresAtMs } = unsigned({ alg: "none" }, subject, claims);
    return { value: `${value}.`, expiresAtMs };
  }

  /** The key, in PEM, whose assertions are believed, whomever they are about. */
  assertionKey(algorithm: AssertionAlgorithm): string {
    return this.#assertionKeys[algorithm].privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #grant(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const form = new URLSearchParams(body);
    const assertion = form.get("client_assertion") ?? form.get("assertion");
    const client = assertion === null ? clientOf(request.headers.authorization ?? "") : this.#subjectOf(assertion);
    response.setHeader("content-type", "application/json");
    if (request.url !== "/token" || client === null) {
      response.statusCode = 401;
      response.end(JSON.stringify({ error: "invalid_client" }));
      return;
    }
    const { value } = this.token(client, { lifetimeMs: minuteMs });
    response.end(JSON.stringify({ access_token: value, token_type: "Bearer", expires_in: seconds(minuteMs) }));
  }

  /** Whom an assertion is about; `null` where it is not to be believed, or not meant for this endpoint. */
  #subjectOf(assertion: string): string | null {
    const [header = "", claims = "", signature = ""] = assertion.split(".");
    const { alg } = parsed(header);
    if (alg !== "RS256" && alg !== "ES256") return null;
    const key = { key: this.#assertionKeys[alg].publicKey, dsaEncoding: "ieee-p1363" } as const;
    if (!verify("sha256", Buffer.from(`${header}.${claims}`), key, Buffer.from(signature, "base64url"))) return null;
    const { sub, aud, nbf, exp } = parsed(claims);
    const now = seconds(Date.now());
    const holds = typeof nbf === "number" && nbf <= now && typeof exp === "number" && exp > now;
    return holds && aud === this.endpointUrl && typeof sub === "string" ? sub : null;
  }
}

/** Who shows the right secret. */
function clientOf(authorization: string): string | null {
  const credentials = Buffer.from(authorization.replace(/^Basic /, ""), "base64").toString();
  const [client = "", secret] = credentials.split(":");
  return secret === passwordOf(client) ? client : null;
}

const parsed = (part: string): Readonly<Record<string, unknown>> =>
  JSON.parse(Buffer.from(part, "base64url").toString());

function unsigned(header: object, subject: string, claims: TokenClaims): Token {
  const { lifetimeMs = hourMs, audience = TokenIssuer.audience, issuer = TokenIssuer.issuer } = claims;
  const now = Date.now();
  const expiresAtMs = now + lifetimeMs;
  // Issued before it expired, even where it has expired already.
  const issuedAtMs = Math.min(now, expiresAtMs - minuteMs);
  const body = { sub: subject, iss: issuer, aud: audience, iat: seconds(issuedAtMs), exp: seconds(expiresAtMs) };
  return { value: `${base64url(header)}.${base64url(body)}`, expiresAtMs };
}
