/** The broker to which a client proves who it is. */
export interface SaslPeer {
  readonly host: string;
  readonly port: number;
}

/** Sends one token of the mechanism and gives the broker's answer to it, which may be empty. */
export type SaslExchange = (token: Uint8Array) => Promise<Buffer>;

/**
 * A way to prove who a client is. The built-in ones are made from the option `sasl`; anything else that implements this
 * can be given as `sasl: { mechanism }`, which is how AWS MSK IAM and GSSAPI are added.
 *
 * One object serves all connections of a client, several at a time: what belongs to one authentication lives in the call.
 */
export interface SaslMechanism {
  /** Kafka's name of it, such as `SCRAM-SHA-512`, as brokers list it in `sasl.enabled.mechanisms`. */
  readonly name: string;

  /**
   * Authenticates one connection, anew whenever its session is about to end (KIP-368).
   *
   * @param exchange sends a token; it rejects where the broker refuses, and then this has to reject too
   * @throws anything: it ends the connection and is told as AuthenticationError, its message included, so it must hold no
   *   secret. A KafkaError that is `retriable` says that it may work later, and the connection is made again
   */
  authenticate(exchange: SaslExchange, peer: SaslPeer): Promise<void>;
}

/** A mechanism that a client has made for itself alone; one that the user gave may serve other clients too. */
export interface OwnMechanism extends SaslMechanism {
  /** The client is closed: what is still under way, such as a request for a token, need not go on. */
  close?(): void;
}
