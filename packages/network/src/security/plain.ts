import type { SaslExchange, SaslMechanism } from "./sasl-mechanism.ts";

/**
 * SASL/PLAIN (RFC 4616): name and password in the clear, so it wants TLS around it. Nothing is asked of the broker in
 * return; a wrong password is its refusal of the token.
 */
export class Plain implements SaslMechanism {
  readonly name = "PLAIN";
  readonly #token: Buffer;

  /** @param username without NUL, which parts the fields; so is the password */
  constructor(username: string, password: string) {
    this.#token = Buffer.from(`\0${username}\0${password}`);
  }

  async authenticate(exchange: SaslExchange): Promise<void> {
    await exchange(this.#token);
  }
}
