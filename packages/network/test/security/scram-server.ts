import { createHash, createHmac, pbkdf2Sync, timingSafeEqual } from "node:crypto";
import type { ScramName } from "../../src/security/scram.ts";

/** What a broker keeps of a user: enough to check a password, and not the password. */
export interface StoredUser {
  readonly name: string;
  readonly password: string;
  readonly iterations?: number;
}

/** What a test makes of the messages before they are sent. */
export interface Lies {
  readonly first?: (message: string) => string | Buffer;
  readonly final?: (message: string) => string | Buffer;
}

/**
 * The server's half of RFC 5802, for one authentication. It reads what clients send the strict way, so that it fails
 * where Kafka's would; its own messages can be replaced by a test.
 */
export class ScramServer {
  readonly #digest: string;
  readonly #bytes: number;
  readonly #user: StoredUser;
  readonly #lies: Lies;
  readonly #salt = Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64");
  readonly #serverNonce: string;
  #clientFirst = "";
  #first = "";
  #nonce = "";
  /** Whether the client has proved that it knows the password. */
  hasProof = false;
  /** What clients said of themselves beside name and nonce. */
  extensions = "";
  readonly received: string[] = [];

  constructor(mechanism: ScramName, user: StoredUser, lies: Lies = {}, serverNonce = "3rfcNHYJY1ZVvWVs7j") {
    this.#digest = mechanism === "SCRAM-SHA-256" ? "sha256" : "sha512";
    this.#bytes = mechanism === "SCRAM-SHA-256" ? 32 : 64;
    this.#user = user;
    this.#lies = lies;
    this.#serverNonce = serverNonce;
  }

  /** The exchange that a mechanism is given: it rejects where a broker would refuse. */
  readonly exchange = async (token: Uint8Array): Promise<Buffer> => {
    const message = Buffer.from(token).toString("utf8");
    this.received.push(message);
    if (this.received.length === 1) return Buffer.from(this.#answerFirst(message));
    if (this.received.length === 2) return Buffer.from(this.#answerFinal(message));
    throw new Error("the authentication has ended");
  };

  #answerFirst(message: string): string | Buffer {
    const fields = /^n,,(n=((?:[^=,\0]|=2C|=3D)+),r=([!-+\--~]+)((?:,[A-Za-z]+=[^,\0]+)*))$/.exec(message);
    if (fields === null) throw new Error("no first message of a client");
    const [, bare = "", name = "", nonce = "", extensions = ""] = fields;
    const decoded = name.replaceAll("=2C", ",").replaceAll("=3D", "=");
    if (decoded !== this.#user.name) throw new Error("no user of that name");
    this.#clientFirst = bare;
    this.extensions = extensions;
    this.#nonce = nonce + this.#serverNonce;
    const honest = `r=${this.#nonce},s=${this.#salt.toString("base64")},i=${this.#iterations}`;
    const sent = this.#lies.first?.(honest) ?? honest;
    this.#first = sent.toString();
    return sent;
  }

  #answerFinal(message: string): string | Buffer {
    const [, channel, nonce, proof = ""] = /^c=([^,]*),r=([^,]*),p=([^,]*)$/.exec(message) ?? [];
    if (channel !== "biws" || nonce !== this.#nonce) throw new Error("no final message of a client");
    const signed = `${this.#clientFirst},${this.#first},c=biws,r=${nonce}`;
    const salted = pbkdf2Sync(this.#user.password, this.#salt, this.#iterations, this.#bytes, this.#digest);
    const storedKey = this.#hash(this.#hmac(salted, "Client Key"));
    const signature = this.#hmac(storedKey, signed);
    const clientKey = Buffer.from(proof, "base64").map((byte, index) => byte ^ signature[index]!);
    this.hasProof = timingSafeEqual(this.#hash(Buffer.from(clientKey)), storedKey);
    if (!this.hasProof) throw new Error("the password is wrong");
    const honest = `v=${this.#hmac(this.#hmac(salted, "Server Key"), signed).toString("base64")}`;
    return this.#lies.final?.(honest) ?? honest;
  }

  get #iterations(): number {
    return this.#user.iterations ?? 4_096;
  }

  #hash(bytes: Buffer): Buffer {
    return createHash(this.#digest).update(bytes).digest();
  }

  #hmac(key: Buffer, text: string): Buffer {
    return createHmac(this.#digest, key).update(text).digest();
  }
}
