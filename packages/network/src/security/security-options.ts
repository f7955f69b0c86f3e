import type { Clock } from "../clock.ts";
import { OptionsError } from "../errors.ts";
import type { OptionReader } from "../option-reader.ts";
import type { OwnMechanism } from "./sasl-mechanism.ts";
import { resolveSasl } from "./sasl-options.ts";
import { TlsSettings } from "./tls-settings.ts";

/** Kafka's names for what is spoken on a listener. */
export type SecurityProtocol = "PLAINTEXT" | "SSL" | "SASL_PLAINTEXT" | "SASL_SSL";

/** How a client and its brokers come to trust each other. It shows no secret, however it is printed. */
export interface Security {
  readonly protocol: SecurityProtocol;
  /** `null` where nothing is encrypted. */
  readonly tls: TlsSettings | null;
  /** Makes the mechanism, once for a client; `null` where clients need not say who they are. */
  readonly sasl: ((clock: Clock) => OwnMechanism) | null;
}

/**
 * Reads `ssl`, `sasl` and `securityProtocol`. The protocol follows from the other two. Where it is stated, they must not
 * contradict it, and one with TLS means `ssl: true` where `ssl` says nothing, as Java then trusts the authorities of its JVM.
 *
 * @throws OptionsError naming the option and what is allowed, without a secret
 */
export function resolveSecurity(reader: OptionReader): Security {
  const stated: SecurityProtocol | null = reader.has("securityProtocol")
    ? reader.oneOf("securityProtocol", "PLAINTEXT", protocols)
    : null;
  const sasl = resolveSasl(reader.value("sasl", null, isGiven, ""));
  const ssl = reader.value("ssl", stated !== null && hasTls(stated), isGiven, "");
  const protocol = protocolOf(ssl !== false, sasl !== null);
  if (stated !== null && stated !== protocol) throw contradiction(stated, protocol);
  return Object.freeze({ protocol, tls: ssl === false ? null : new TlsSettings(ssl), sasl });
}

const protocols = ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] as const satisfies readonly SecurityProtocol[];

const hasTls = (protocol: SecurityProtocol): boolean => protocol === "SSL" || protocol === "SASL_SSL";
const hasSasl = (protocol: SecurityProtocol): boolean => protocol === "SASL_PLAINTEXT" || protocol === "SASL_SSL";

function protocolOf(isEncrypted: boolean, isAuthenticated: boolean): SecurityProtocol {
  if (isAuthenticated) return isEncrypted ? "SASL_SSL" : "SASL_PLAINTEXT";
  return isEncrypted ? "SSL" : "PLAINTEXT";
}

/** Either side may be the one that is wrong: says how each would have to be. */
function contradiction(stated: SecurityProtocol, meant: SecurityProtocol): OptionsError {
  const remedies: string[] = [];
  if (hasTls(stated) && !hasTls(meant)) remedies.push("ssl other than false");
  if (!hasTls(stated) && hasTls(meant)) remedies.push("no option ssl");
  if (hasSasl(stated) && !hasSasl(meant)) remedies.push("the option sasl");
  if (!hasSasl(stated) && hasSasl(meant)) remedies.push("no option sasl");
  return new OptionsError("securityProtocol", stated, `${meant}, or with it ${remedies.join(" and ")},`);
}

/** What the options hold is looked at by who uses them, and not shown by the reader: it may be a secret. */
const isGiven = (_value: unknown): _value is unknown => true;
