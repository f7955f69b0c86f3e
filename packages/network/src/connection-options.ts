import type { BrokerSocketOptions } from "./broker-socket.ts";
import type { SaslMechanism } from "./security/sasl-mechanism.ts";

/** How one connection is set up, and what it may cost. */
export interface ConnectionOptions extends BrokerSocketOptions {
  readonly clientId: string;
  readonly requestTimeoutMs: number;
  /** For all that comes before the first request: DNS, TCP, TLS, ApiVersions and SASL. */
  readonly setupTimeoutMs: number;
  readonly connectionsMaxIdleMs: number;
  readonly receiveMessageMaxBytes: number;
  readonly receiveMessageMaxItems: number;
  /** The longest that a broker may keep the connection from sending. */
  readonly throttleTimeMaxMs: number;
  /** Of which cluster the broker has to be; `null` where it may be of any. */
  readonly clusterId: string | null;
  /** `null` where nobody has to say who they are. */
  readonly sasl: SaslMechanism | null;
}
