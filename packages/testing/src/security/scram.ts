import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from "node:crypto";
import { AuthenticationError } from "./authentication-error.ts";
import type { SaslExchange, Users } from "./sasl-exchange.ts";

const iterations = 4_096;
const hashes = { "SCRAM-SHA-256": "sha256", "SCRAM-SHA-512": "sha512" } as const;
type ScramMechanism = keyof typeof hashes;

/** What the exchange has come to before the client's proof. */
interface FirstRound {
  readonly saltedPassword: Buffer;
  readonly nonce: string;
  /** Both first messages, as they are part of what is proven. */
  readonly messages: string;
  readonly gs2Header: string;
}

/** SASL/SCRAM (RFC 5802): both sides show that they know the password, and neither says it. */
export class ScramExchange implements SaslExchange {
  readonly #mechanism: ScramMechanism;
  readonly #users: Users;
  #first: FirstRound | null = null;
  #isComplete = false;

  constructor(mechanism: ScramMechanism, users: Users) {
    this.#mechanism = mechanism;
    this.#users = users;
  }

  get isComplete(): boolean {
    return this.#isComplete;
  }

  answer(token: Buffer): Buffer {
    const message = token.toString("utf8");
    return Buffer.from(this.#first === null ? this.#begin(message) : this.#end(message, this.#first));
  }

  #begin(message: string): string {
    const [, gs2Header, bare, name, clientNonce] = /^(n,(?:a=[^,]*)?,)(n=([^,]*),r=([^,]+).*)$/s.exec(message) ?? [];
    if (gs2Header === undefined || bare === undefined || name === undefined || clientNonce === undefined) {
      throw this.#refusal();
    }
    const username = name.replaceAll("=2C", ",").replaceAll("=3D", "=");
    if (!Object.hasOwn(this.#users, username)) throw this.#refusal();
    const salt = randomBytes(16);
    const hash = hashes[this.#mechanism];
    const bytes = createHash(hash).digest().length;
    const saltedPassword = pbkdf2Sync(this.#users[username] ?? "", salt, iterations, bytes, hash);
    const nonce = clientNonce + randomBytes(18).toString("base64url");
    const answer = `r=${nonce},s=${salt.toString("base64")},i=${iterations}`;
    this.#first = { saltedPassword, nonce, messages: `${bare},${answer}`, gs2Header };
    return answer;
  }

  #end(message: string, { saltedPassword, nonce, messages, gs2Header }: FirstRound): string {
    const [, withoutProof, binding, saidNonce, proof] = /^(c=([^,]*),r=([^,]*).*),p=([^,]*)$/s.exec(message) ?? [];
    const isBound = Buffer.from(binding ?? "", "base64").toString() === gs2Header;
    if (withoutProof === undefined || proof === undefined || saidNonce !== nonce || !isBound) throw this.#refusal();
    const authMessage = `${messages},${withoutProof}`;
    const clientKey = this.#hmac(saltedPassword, "Client Key");
    const signature = this.#hmac(createHash(hashes[this.#mechanism]).update(clientKey).digest(), authMessage);
    const expected = Buffer.from(clientKey.map((byte, index) => byte ^ (signature[index] ?? 0)));
    const given = Buffer.from(proof, "base64");
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw this.#refusal();
    this.#isComplete = true;
    return `v=${this.#hmac(this.#hmac(saltedPassword, "Server Key"), authMessage).toString("base64")}`;
  }

  #hmac(key: Buffer, text: string): Buffer {
    return createHmac(hashes[this.#mechanism], key).update(text).digest();
  }

  #refusal(): AuthenticationError {
    const reason = "Authentication failed during authentication due to invalid credentials";
    return new AuthenticationError(`${reason} with SASL mechanism ${this.#mechanism}`);
  }
}
