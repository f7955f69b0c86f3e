import type { BearerToken } from "./bearer-token.ts";
import type { BearerTokens } from "./bearer-tokens.ts";
import { SaslError } from "./sasl-error.ts";
import type { OwnMechanism, SaslExchange } from "./sasl-mechanism.ts";

/** Ends every field, and the message. */
const separator = "\x01";

/** Says that the broker's error was read, which it waits for before it refuses. */
const acknowledgement = Buffer.from(separator);

/** Of the words that brokers give for a refusal; anything else could be anything. */
const plainWord = /^[a-z_]{1,64}$/;

/** SASL/OAUTHBEARER (RFC 7628): a token that somebody else gave, whom the broker trusts. It wants TLS around it. */
export class OAuthBearer implements OwnMechanism {
  readonly name = "OAUTHBEARER";
  readonly #tokens: Pick<BearerTokens, "current" | "close">;

  constructor(tokens: Pick<BearerTokens, "current" | "close">) {
    this.#tokens = tokens;
  }

  async authenticate(exchange: SaslExchange): Promise<void> {
    const answer = await exchange(initialMessage(await this.#tokens.current()));
    if (answer.length === 0) return;
    // The broker says why in its answer to this, and that is told.
    await exchange(acknowledgement);
    throw new SaslError("credentialsRefused", `the broker refuses the token${statusOf(answer)}`);
  }

  close(): void {
    this.#tokens.close();
  }
}

function initialMessage({ value, extensions = {} }: BearerToken): Buffer {
  const fields = [["auth", `Bearer ${value}`], ...Object.entries(extensions)];
  const text = fields.map(([name, field]) => `${name}=${field}${separator}`).join("");
  return Buffer.from(`n,,${separator}${text}${separator}`);
}

function statusOf(answer: Buffer): string {
  try {
    const parsed: unknown = JSON.parse(answer.toString("utf8"));
    const status = typeof parsed === "object" && parsed !== null && "status" in parsed ? parsed.status : null;
    return typeof status === "string" && plainWord.test(status) ? `: ${status}` : "";
  } catch {
    return "";
  }
}
