import type { TLSSocket } from "node:tls";
import type { AuthenticationFailure } from "../errors.ts";

/** How far a connection had come when it failed. */
export interface TlsProgress {
  /** Whom we wanted. */
  readonly host: string;
  /** Whether the handshake was over on our side. In TLS 1.3 the broker looks at our certificate only then. */
  readonly isSecure: boolean;
  /** Whether the two sides had agreed on a version and a cipher. */
  readonly isNegotiated: boolean;
  /** Whether we showed a certificate. */
  readonly hasCertificate: boolean;
}

export interface TlsFailure {
  /** `null` where it is trouble of the connection as any other, and trying again may mend it. */
  readonly reason: AuthenticationFailure | null;
  /** What happened and what to do. */
  readonly text: string;
}

/** What a socket knows of it while it handles its `error`. */
export function progressOf(socket: TLSSocket, host: string, isSecure: boolean): TlsProgress {
  return {
    host,
    isSecure,
    // Both give nothing, whatever their types say, where there is nothing, or no connection any more.
    isNegotiated: socket.getCipher()?.name !== undefined,
    hasCertificate: Object.keys(socket.getCertificate() ?? {}).length > 0,
  };
}

/** What the option `ssl.checkServerIdentity` says against a broker. */
export class ServerIdentityError extends Error {
  constructor(cause: Error) {
    super(cause.message, { cause });
    this.name = "ServerIdentityError";
  }
}

/** What the error of a socket with TLS means. Codes and words differ from one OpenSSL to the next, numbers do not. */
export function tlsFailure(error: Error, progress: TlsProgress): TlsFailure {
  const alert = /SSL alert number (\d+)/.exec(error.message)?.[1];
  if (alert !== undefined) return alertFailure(Number(alert), progress);
  const { host, isSecure } = progress;
  const reason = openSslReason(error);
  if (isSecure) return trouble(reason ?? error.message);
  if (error instanceof ServerIdentityError) {
    return { reason: "certificateHostMismatch", text: `ssl.checkServerIdentity refuses the broker: ${error.message}` };
  }
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return hostMismatch(error, host);
  const certificate = certificateFailures[code];
  if (certificate !== undefined) return certificate;
  if (reason !== null) return openSslFailure(reason);
  if (closedCodes.has(code)) return trouble(`closed by the broker in the TLS handshake; ${isTlsListener}`);
  return trouble(error.message);
}

const isTlsListener = "is this the port of a listener with TLS?";

const trouble = (text: string): TlsFailure => ({ reason: null, text });
const expired = (what: string): TlsFailure => ({
  reason: "certificateExpired",
  text: `the certificate of the broker, or one that it is signed with, ${what} (or the clock of this machine is wrong)`,
});
const untrusted = (what: string): TlsFailure => ({
  reason: "certificateUntrusted",
  text: `the certificate of the broker is not trusted: ${what}`,
});
const refused = (text: string): TlsFailure => ({ reason: "tlsRefused", text });
const disagreed = (why: string): TlsFailure =>
  refused(`TLS cannot be agreed on with the broker (${why}); see ssl.minVersion, ssl.maxVersion and ssl.ciphers`);

const giveAuthority = "give the certificate of its authority in ssl.ca";
const unknownAuthority = `is signed by no authority that we trust; ${giveAuthority}`;

/** What Node says of a certificate that it does not accept: X509_V_ERR_... of OpenSSL. */
const certificateFailures: Readonly<Record<string, TlsFailure>> = {
  CERT_HAS_EXPIRED: expired("has expired"),
  CERT_NOT_YET_VALID: expired("is not valid yet"),
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted("it is signed by itself; to trust it give it in ssl.ca"),
  SELF_SIGNED_CERT_IN_CHAIN: untrusted(`it ${unknownAuthority}`),
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted(
    `it is signed by no authority that we trust, or the broker does not show the certificates in between; ${giveAuthority}`,
  ),
  UNABLE_TO_GET_ISSUER_CERT: untrusted(`its authority ${unknownAuthority}`),
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted(`it, or its authority, ${unknownAuthority}`),
  CERT_REVOKED: untrusted("it was revoked, says ssl.crl"),
  UNABLE_TO_GET_CRL: untrusted("ssl.crl holds no list of its authority"),
  CRL_HAS_EXPIRED: untrusted("the list in ssl.crl is out of date"),
  CRL_NOT_YET_VALID: untrusted("the list in ssl.crl is not valid yet"),
  CRL_SIGNATURE_FAILURE: untrusted("the list in ssl.crl is signed by somebody else"),
  INVALID_PURPOSE: untrusted("it is not meant for servers"),
  INVALID_CA: untrusted("it is signed with a certificate that is not one of an authority"),
  PATH_LENGTH_EXCEEDED: untrusted("its authority may not have others below it"),
  CERT_CHAIN_TOO_LONG: untrusted("there are too many authorities above it"),
  CERT_SIGNATURE_FAILURE: untrusted("its signature is wrong"),
  CERT_UNTRUSTED: untrusted("its authority is not trusted for servers"),
  CERT_REJECTED: untrusted("its authority is marked as rejected"),
  UNABLE_TO_DECRYPT_CERT_SIGNATURE: untrusted("its signature cannot be read"),
  UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY: untrusted("the key of its authority cannot be read"),
  ERROR_IN_CERT_NOT_BEFORE_FIELD: untrusted("its dates cannot be read"),
  ERROR_IN_CERT_NOT_AFTER_FIELD: untrusted("its dates cannot be read"),
  HOSTNAME_MISMATCH: { reason: "certificateHostMismatch", text: "the certificate of the broker is for another host" },
  UNSPECIFIED: untrusted("it, or one that it is signed with, does not meet what OpenSSL asks of keys and signatures"),
};

/** How a peer that does not understand us leaves. */
const closedCodes: ReadonlySet<string> = new Set(["ECONNRESET", "EPIPE", "ECONNABORTED"]);

/** Names the host that was looked for, which `ssl.servername` may have said, and those that the certificate has. */
function hostMismatch(error: Error, host: string): TlsFailure {
  const wanted = "host" in error && typeof error.host === "string" ? error.host : host;
  const certificate: unknown = "cert" in error ? error.cert : null;
  const names =
    typeof certificate === "object" && certificate !== null && "subjectaltname" in certificate
      ? certificate.subjectaltname
      : null;
  // They are the peer's words: not too many of them.
  const its = typeof names === "string" && names !== "" ? names.slice(0, 300) : "no host at all";
  return {
    reason: "certificateHostMismatch",
    text: `the certificate of the broker is for ${its}, not for ${wanted}; connect by a name that it has, or say one in ssl.servername`,
  };
}

/** The last part of `error:0A00010B:SSL routines:tls_validate_record_header:wrong version number:...`. */
const openSslReason = ({ message }: Error): string | null =>
  /error:[0-9A-F]+:SSL routines:[^:]*:([^:]+)/i.exec(message)?.[1]?.trim() ?? null;

/** What OpenSSL finds in bytes that are no TLS: letters of another protocol, or the length of a frame of Kafka. */
const notTls: ReadonlySet<string> = new Set([
  "wrong version number",
  "packet length too long",
  "data length too long",
  "unexpected message",
  "http request",
  "https proxy request",
  "unknown protocol",
  "bad record type",
]);

/** Bytes that were damaged on their way. */
const damaged: ReadonlySet<string> = new Set([
  "decryption failed or bad record mac",
  "bad record mac",
  "digest check failed",
]);

function openSslFailure(reason: string): TlsFailure {
  if (notTls.has(reason)) return refused(`the broker does not speak TLS (${reason}); ${isTlsListener}`);
  return damaged.has(reason) ? trouble(reason) : disagreed(reason);
}

/** Alerts about our certificate, by their number in TLS (RFC 8446, 6.2). */
const certificateAlerts: Readonly<Record<number, string>> = {
  41: "no certificate",
  42: "bad certificate",
  43: "unsupported certificate",
  44: "certificate revoked",
  45: "certificate expired",
  46: "certificate unknown",
  48: "unknown authority",
  49: "access denied",
  116: "certificate required",
};

/** Alerts of a broker that cannot agree with us. */
const handshakeAlerts: Readonly<Record<number, string>> = {
  10: "unexpected message",
  40: "handshake failure",
  47: "illegal parameter",
  50: "decode error",
  51: "decrypt error",
  70: "protocol version",
  71: "insufficient security",
  86: "inappropriate fallback",
  109: "missing extension",
  110: "unsupported extension",
  120: "no application protocol",
};

/** Alerts that say as little as "no": once a cipher was agreed on, they are about our certificate. */
const vagueAlerts: ReadonlySet<number> = new Set([40, 51]);

function alertFailure(alert: number, { host, isSecure, isNegotiated, hasCertificate }: TlsProgress): TlsFailure {
  const agreed = isSecure || isNegotiated;
  const ofCertificate =
    certificateAlerts[alert] ?? (agreed && vagueAlerts.has(alert) ? handshakeAlerts[alert] : undefined);
  if (ofCertificate !== undefined) return refusedCertificate(`${ofCertificate}, alert ${alert}`, hasCertificate);
  if (!isSecure && alert === 112) {
    return refused(`the broker knows no host ${host} (alert ${alert}); say a name that it knows in ssl.servername`);
  }
  const ofHandshake = isSecure ? undefined : handshakeAlerts[alert];
  return ofHandshake === undefined
    ? trouble(`the broker ended TLS with alert ${alert}`)
    : disagreed(`${ofHandshake}, alert ${alert}`);
}

const refusedCertificate = (why: string, hasCertificate: boolean): TlsFailure => ({
  reason: "certificateRefused",
  text: hasCertificate
    ? `the broker refused our certificate (${why}): see whether it trusts the authority that signed it, and the dates`
    : `the broker wants a certificate and got none (${why}); give ssl.key and ssl.cert, or ssl.pfx`,
});
