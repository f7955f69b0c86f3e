import type { SaslExchange, SaslMechanism, SaslPeer } from "odradek";

/** A conversation by Kerberos with one service, as GSS-API has it (RFC 2743). */
export interface GssContext {
  /** Whether both sides have said all that they need. */
  readonly isComplete: boolean;
  /** Takes what the service said, at first nothing, and gives what to tell it, which may be nothing. */
  step(challenge: Uint8Array): Promise<Uint8Array>;
  /** What is in a message of the service, once the context is complete. */
  unwrap(message: Uint8Array): Promise<Uint8Array>;
  /** Signs a message to the service, and does not encrypt it. */
  wrap(message: Uint8Array): Promise<Uint8Array>;
}

/** Opens the conversation with the service `kafka` of a host. */
export type GssContextFactory = (host: string) => Promise<GssContext>;

/** The bit for "no protection", in the mask of what a side can do after authentication (RFC 4752, 3.1). */
const noProtection = 1;

/** The SASL mechanism GSSAPI (RFC 4752) over whatever knows how to talk Kerberos. */
export class Gssapi implements SaslMechanism {
  readonly name = "GSSAPI";
  readonly #open: GssContextFactory;

  constructor(open: GssContextFactory) {
    this.#open = open;
  }

  async authenticate(exchange: SaslExchange, { host }: SaslPeer): Promise<void> {
    const context = await this.#open(host);
    let answer: Uint8Array = new Uint8Array();
    do {
      answer = await exchange(await context.step(answer));
    } while (!context.isComplete);

    // The last answer says how the broker could protect what follows. Kafka protects nothing here: TLS does.
    const offer = await context.unwrap(answer);
    if (offer.length !== 4 || !((offer[0] ?? 0) & noProtection)) {
      throw new Error("the broker wants to protect messages by Kerberos, which Kafka has no way to do");
    }
    // No protection, hence messages of no size; and nobody else whom we would be.
    await exchange(await context.wrap(Uint8Array.of(noProtection, 0, 0, 0)));
  }
}

/**
 * Kerberos of the system, with the ticket that `kinit` got, by the package `kerberos`: `npm install kerberos`.
 *
 * @param service the first part of the brokers' principals, `sasl.kerberos.service.name` in Java
 */
export const systemKerberos =
  (service = "kafka"): GssContextFactory =>
  async (host) => {
    // Not named as a text that compilers look up: who does not use Kerberos need not have it.
    const name: string = "kerberos";
    const { default: kerberos }: { readonly default: KerberosPackage } = await import(name);
    const client = await kerberos.initializeClient(`${service}@${host}`);
    return {
      get isComplete() {
        return client.contextComplete;
      },
      step: async (challenge) => fromBase64(await client.step(toBase64(challenge))),
      unwrap: async (message) => fromBase64(await client.unwrap(toBase64(message))),
      wrap: async (message) => fromBase64(await client.wrap(toBase64(message))),
    };
  };

/** What we need of that package: it takes and gives base64. */
interface KerberosPackage {
  initializeClient(service: string): Promise<{
    readonly contextComplete: boolean;
    step(challenge: string): Promise<string | null>;
    unwrap(message: string): Promise<string | null>;
    wrap(message: string): Promise<string | null>;
  }>;
}

const toBase64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
const fromBase64 = (text: string | null): Uint8Array => Buffer.from(text ?? "", "base64");
