import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { SaslError } from "./sasl-error.ts";
import type { SaslExchange, SaslMechanism } from "./sasl-mechanism.ts";
import { readServerFinal, readServerFirst, saslName } from "./scram-messages.ts";

/** The digest behind each mechanism, and its length. */
const digests = {
  "SCRAM-SHA-256": { digest: "sha256", bytes: 32 },
  "SCRAM-SHA-512": { digest: "sha512", bytes: 64 },
} as const;

export type ScramName = keyof typeof digests;

export const scramNames: readonly ScramName[] = ["SCRAM-SHA-256", "SCRAM-SHA-512"];

export interface ScramCredentials {
  /** Without NUL, which no message can hold. */
  readonly username: string;
  readonly password: string;
  /** Whether they are the id and the HMAC of a delegation token (KIP-48). */
  readonly tokenAuth: boolean;
}

/** 192 bits, as 32 characters of base64, none of them a comma. */
const nonceBytes = 24;

/** No channel binding, and nobody else to act for: what opens the first message, and is repeated in the last. */
const gs2Header = "n,,";

/** Runs on another thread, so that nothing else of the process waits for it. */
const saltedPasswordOf = promisify(pbkdf2);

/**
 * SASL/SCRAM (RFC 5802, RFC 7677): both sides prove that they know the password, and neither tells it. Sources for what
 * Kafka makes of it: its `ScramSaslClient` and `ScramFormatter`.
 *
 * Nothing is kept from one authentication to the next: what the password becomes is as good as the password.
 */
export class Scram implements SaslMechanism {
  readonly name: ScramName;
  readonly #credentials: ScramCredentials;
  readonly #nonce: () => string;

  /** @param nonce for tests */
  constructor(
    name: ScramName,
    credentials: ScramCredentials,
    nonce: () => string = () => randomBytes(nonceBytes).toString("base64"),
  ) {
    this.name = name;
    this.#credentials = credentials;
    this.#nonce = nonce;
  }

  async authenticate(exchange: SaslExchange): Promise<void> {
    const { digest, bytes } = digests[this.name];
    const { username, password, tokenAuth } = this.#credentials;
    const hmac = (key: Buffer, text: string): Buffer => createHmac(digest, key).update(text).digest();

    const clientNonce = this.#nonce();
    const clientFirst = `n=${saslName(username)},r=${clientNonce}${tokenAuth ? ",tokenauth=true" : ""}`;
    const serverFirst = await exchange(Buffer.from(gs2Header + clientFirst));
    const { nonce, salt, iterations } = readServerFirst(serverFirst, clientNonce);

    const saltedPassword = await saltedPasswordOf(password, salt, iterations, bytes, digest);
    const withoutProof = `c=${Buffer.from(gs2Header).toString("base64")},r=${nonce}`;
    const signed = `${clientFirst},${serverFirst.toString("utf8")},${withoutProof}`;
    const clientKey = hmac(saltedPassword, "Client Key");
    const clientSignature = hmac(createHash(digest).update(clientKey).digest(), signed);
    const proof = clientKey.map((byte, index) => byte ^ (clientSignature[index] ?? 0));
    const serverFinal = await exchange(Buffer.from(`${withoutProof},p=${Buffer.from(proof).toString("base64")}`));

    const signature = readServerFinal(serverFinal);
    const expected = hmac(hmac(saltedPassword, "Server Key"), signed);
    if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) {
      throw new SaslError("brokerUnverified", "the broker does not know the password: it is not who it should be");
    }
  }
}
