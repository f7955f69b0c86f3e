import type { AuthenticationFailure } from "../errors.ts";

/**
 * How a mechanism says what went wrong: whoever runs the mechanism makes an AuthenticationError of it, with the same
 * reason, text and cause, and adds the address and the mechanism's name, which are not known here.
 *
 * Besides this, a mechanism lets pass what the exchange rejected with, since there the broker spoke; and it throws a
 * KafkaError that is `retriable`, before its first token, where no credentials can be had right now.
 */
export class SaslError extends Error {
  readonly reason: AuthenticationFailure;

  /** @param text what happened and what to do, without a secret */
  constructor(reason: AuthenticationFailure, text: string, options: { readonly cause?: unknown } = {}) {
    super(text, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.reason = reason;
  }
}
