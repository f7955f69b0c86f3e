import { AuthenticationError } from "./authentication-error.ts";
import type { SaslExchange, Users } from "./sasl-exchange.ts";

/** SASL/PLAIN (RFC 4616): who it wants to be, who it is, and the password. */
export class PlainExchange implements SaslExchange {
  readonly #users: Users;
  #isComplete = false;

  constructor(users: Users) {
    this.#users = users;
  }

  get isComplete(): boolean {
    return this.#isComplete;
  }

  answer(token: Buffer): Buffer {
    const [authorizationId, username = "", password, ...rest] = token.toString("utf8").split("\0");
    if (password === undefined || rest.length > 0) {
      throw new AuthenticationError("Invalid SASL/PLAIN response: expected 3 tokens, got another number of them");
    }
    if (authorizationId !== "" && authorizationId !== username) {
      throw new AuthenticationError(
        "Authentication failed: Client requested an authorization id that is different from username",
      );
    }
    if (!Object.hasOwn(this.#users, username) || this.#users[username] !== password) {
      throw new AuthenticationError("Authentication failed: Invalid username or password");
    }
    this.#isComplete = true;
    return Buffer.alloc(0);
  }
}
