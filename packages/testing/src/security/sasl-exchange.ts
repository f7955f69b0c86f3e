import { PlainExchange } from "./plain.ts";
import { ScramExchange } from "./scram.ts";

export type SaslMechanism = "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512";

/** Passwords by user name. */
export type Users = Readonly<Record<string, string>>;

export interface SaslSettings {
  readonly mechanisms: readonly SaslMechanism[];
  readonly users: Users;
}

/** The server's side of one authentication. */
export interface SaslExchange {
  /** Whether the client has shown who it is. */
  readonly isComplete: boolean;
  /**
   * Answers what the client sent.
   *
   * @throws AuthenticationError
   */
  answer(token: Buffer): Buffer;
}

export const saslMechanisms: readonly SaslMechanism[] = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"];

export const newExchange = (mechanism: SaslMechanism, users: Users): SaslExchange =>
  mechanism === "PLAIN" ? new PlainExchange(users) : new ScramExchange(mechanism, users);
