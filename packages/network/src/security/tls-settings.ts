import { isIP } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { KafkaError } from "@odradek/protocol";
import { type Address, AuthenticationError, OptionsError } from "../errors.ts";
import { OptionReader } from "../option-reader.ts";
import { withheld } from "./secret-option.ts";
import { secureContextOf } from "./tls-credentials.ts";
import { ServerIdentityError } from "./tls-failure.ts";

/**
 * How connections are encrypted: `true`, which trusts the authorities that Node does; what `tls.connect` of Node takes; or
 * a function that gives it anew for each connection, so that certificates can be replaced while the client runs.
 *
 * The broker's certificate and its host name are checked, and TLS is 1.2 or newer, unless the options say otherwise.
 * An error of the function ends the attempt to connect and is told, so it must hold no secret; one that is a KafkaError
 * and `retriable` has the attempt made again.
 */
export type SslOptions = boolean | ConnectionOptions | (() => ConnectionOptions | Promise<ConnectionOptions>);

/** What one secure context is made of. */
const contextOptions = [
  "ALPNCallback",
  "allowPartialTrustChain",
  "ca",
  "cert",
  "ciphers",
  "clientCertEngine",
  "crl",
  "dhparam",
  "ecdhCurve",
  "honorCipherOrder",
  "key",
  "maxVersion",
  "minVersion",
  "passphrase",
  "pfx",
  "privateKeyEngine",
  "privateKeyIdentifier",
  "secureOptions",
  "secureProtocol",
  "sessionIdContext",
  "sessionTimeout",
  "sigalgs",
  "ticketKeys",
] as const satisfies readonly (keyof ConnectionOptions)[];

/**
 * What belongs to each connection. Not among them is what the client decides itself (`host`, `port`, `lookup`, ...), and
 * `session`: who resumes the session of another broker does not check who this one is.
 */
const connectionOptions = [
  "ALPNProtocols",
  "SNICallback",
  "checkServerIdentity",
  "enableTrace",
  "minDHSize",
  "pskCallback",
  "rejectUnauthorized",
  "requestCert",
  "secureContext",
  "servername",
] as const satisfies readonly (keyof ConnectionOptions)[];

/** Keeps the option `ssl` to itself: whatever prints a client must not print its key. */
export class TlsSettings {
  readonly #source: () => ConnectionOptions | Promise<ConnectionOptions>;

  /**
   * Whether the certificates of brokers are checked, which `rejectUnauthorized: false` turns off. Where `ssl` is a
   * function, it may say so for each connection anew: then look at what `connectOptions` gave.
   */
  readonly isVerifying: boolean;

  /**
   * @param given the option `ssl`, other than `false`
   * @throws OptionsError for options that do not exist, or that OpenSSL cannot use
   */
  constructor(given: unknown) {
    if (isFunction(given)) {
      this.#source = async () => prepared(await given());
      this.isVerifying = true;
    } else {
      const options = prepared(given === true ? {} : given);
      this.#source = () => options;
      this.isVerifying = options.rejectUnauthorized !== false;
    }
  }

  /**
   * What `tls.connect` needs for a connection to this broker. The host is among it also for a socket that is connected
   * already: it is what the certificate has to name.
   *
   * @throws AuthenticationError where the function `ssl` fails or gives something that cannot be used; a KafkaError that
   *   is retriable as it is
   */
  async connectOptions(address: Address): Promise<ConnectionOptions> {
    const { host } = address;
    let options: ConnectionOptions;
    try {
      options = await this.#source();
    } catch (cause) {
      if (cause instanceof KafkaError && cause.retriable) throw cause;
      const text = `the function ssl failed: ${cause instanceof Error ? cause.message : "it threw no Error"}`;
      throw new AuthenticationError(address, "TLS", "credentialsUnavailable", text, { cause });
    }
    const servername = options.servername ?? serverNameOf(host);
    return servername === null ? { ...options, host } : { ...options, host, servername };
  }
}

/** The name of a host as it may be sent (RFC 6066): no address, and no dot at its end. */
const serverNameOf = (host: string): string | null => (isIP(host) === 0 ? host.replace(/\.$/, "") : null);

/** What all connections have in common. Keys and certificates are in the secure context, where nothing shows them. */
function prepared(given: unknown): ConnectionOptions {
  if (!isOptions(given)) {
    throw new OptionsError("ssl", withheld(given), "true, or options of node:tls, or a function that gives them,");
  }
  checkNames(given);
  const { secureContext, secureProtocol, checkServerIdentity } = given;
  const context = chosen(given, contextOptions);
  const [besides] = Object.entries(context);
  if (secureContext && besides !== undefined) {
    const [name, value] = besides;
    throw new OptionsError(`ssl.${name}`, withheld(value), "nothing beside ssl.secureContext, which holds it,");
  }
  // A method of OpenSSL says the version itself, and Node refuses both.
  const versions: ConnectionOptions = secureProtocol ? {} : { minVersion: "TLSv1.2" };
  return Object.freeze({
    rejectUnauthorized: true,
    ...chosen(given, connectionOptions),
    ...(checkServerIdentity && { checkServerIdentity: guarded(checkServerIdentity) }),
    secureContext: secureContext ?? secureContextOf({ ...versions, ...context }),
  });
}

const isOptions = (given: unknown): given is ConnectionOptions =>
  typeof given === "object" && given !== null && !Array.isArray(given);

/** Of what is not said as much as of what is `null`: nothing, since Node would take it for a value. */
const chosen = (given: ConnectionOptions, names: readonly (keyof ConnectionOptions)[]): ConnectionOptions =>
  Object.fromEntries(names.filter((name) => (given[name] ?? null) !== null).map((name) => [name, given[name]]));

/** Refuses what is misspelt or ours, and what `tls.connect` would refuse only when it connects. */
function checkNames(given: ConnectionOptions): void {
  const reader = new OptionReader(given, "ssl");
  for (const name of [...contextOptions, ...connectionOptions]) reader.has(name);
  reader.boolean("rejectUnauthorized", true);
  reader.boolean("enableTrace", false);
  reader.string("servername", null);
  reader.integer("minDHSize", 1_024, 1);
  for (const name of ["checkServerIdentity", "pskCallback"] as const) {
    if (reader.has(name)) reader.required(name, isFunction, "a function");
  }
  reader.finish();
}

const isFunction = (value: unknown): value is () => unknown => typeof value === "function";

type CheckServerIdentity = NonNullable<ConnectionOptions["checkServerIdentity"]>;

/** Node calls it out of OpenSSL, where a throw ends the process, and takes whatever it gives for an error. */
const guarded =
  (check: CheckServerIdentity): CheckServerIdentity =>
  (host, certificate) => {
    try {
      const error: unknown = check(host, certificate);
      if (error === undefined || isAltNameError(error)) return error;
      return new ServerIdentityError(
        error instanceof Error ? error : new Error("it gave neither undefined nor an Error"),
      );
    } catch (error) {
      return new ServerIdentityError(error instanceof Error ? error : new Error("it threw no Error"));
    }
  };

/** What Node's own check says, which some functions call and add to. */
const isAltNameError = (error: unknown): error is Error =>
  error instanceof Error && "code" in error && error.code === "ERR_TLS_CERT_ALTNAME_INVALID";
