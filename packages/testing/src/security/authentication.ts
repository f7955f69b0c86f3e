import { ApiVersions } from "@odradek/protocol/messages/api-versions";
import { SaslAuthenticate } from "@odradek/protocol/messages/sasl-authenticate";
import { SaslHandshake } from "@odradek/protocol/messages/sasl-handshake";
import { State } from "../state.ts";
import { newExchange, type SaslExchange, type SaslMechanism, type SaslSettings } from "./sasl-exchange.ts";

/**
 * `handshake` waits for the client to choose a mechanism. `exchange` is in the middle of it. `authenticated` may ask for
 * anything: where there is no SASL, everybody is from the start.
 */
type AuthenticationState = "handshake" | "exchange" | "authenticated";

const arrows: Readonly<Record<AuthenticationState, readonly AuthenticationState[]>> = {
  handshake: ["exchange"],
  exchange: ["authenticated"],
  authenticated: [],
};

/** What may be asked before it is known who asks. */
const beforehand: ReadonlySet<number> = new Set([ApiVersions.key, SaslHandshake.key, SaslAuthenticate.key]);

/** How far a connection is with showing who it is. */
export class Authentication {
  readonly #settings: SaslSettings | null;
  readonly #state: State<AuthenticationState>;
  #exchange: SaslExchange | null = null;

  constructor(settings: SaslSettings | null) {
    this.#settings = settings;
    this.#state = new State<AuthenticationState>(settings === null ? "authenticated" : "handshake", arrows);
  }

  get mechanisms(): readonly SaslMechanism[] {
    return this.#settings?.mechanisms ?? [];
  }

  allows(apiKey: number): boolean {
    return this.#state.is("authenticated") || beforehand.has(apiKey);
  }

  /** @returns why the mechanism is not begun; `null` where it is */
  begin(name: string): "ILLEGAL_SASL_STATE" | "UNSUPPORTED_SASL_MECHANISM" | null {
    if (this.#settings === null || !this.#state.is("handshake")) return "ILLEGAL_SASL_STATE";
    const mechanism = this.mechanisms.find((each) => each === name);
    if (mechanism === undefined) return "UNSUPPORTED_SASL_MECHANISM";
    this.#exchange = newExchange(mechanism, this.#settings.users);
    this.#state.to("exchange");
    return null;
  }

  /**
   * @returns what the client is answered; `null` where no mechanism was begun
   * @throws AuthenticationError
   */
  answer(token: Buffer): Buffer | null {
    if (this.#exchange === null || !this.#state.is("exchange")) return null;
    const answer = this.#exchange.answer(token);
    if (this.#exchange.isComplete) this.#state.to("authenticated");
    return answer;
  }
}
