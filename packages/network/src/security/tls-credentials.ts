import { createPrivateKey, X509Certificate } from "node:crypto";
import type { SecureContext, SecureContextOptions } from "node:tls";
import { OptionsError } from "../errors.ts";
import { withheld } from "./secret-option.ts";

/** It takes milliseconds to load, which clients without TLS need not spend. */
const tls = (): typeof import("node:tls") => require("node:tls");

/**
 * Reads keys and certificates, as far as OpenSSL does not say itself that it cannot: it takes certificates that are none
 * for an empty list, and then trusts nobody, or everybody whom the system trusts.
 *
 * @throws OptionsError naming the option and what OpenSSL says, without a value: even a wrong one may be a secret
 */
export function secureContextOf(options: SecureContextOptions): SecureContext {
  const { passphrase } = options;
  if (passphrase !== undefined && typeof passphrase !== "string") throw refusal("passphrase", passphrase, "a text");
  for (const name of ["ca", "cert"] as const) each(name, options[name], (item) => checkCertificates(name, item));
  each("crl", options.crl, (item) => pemOf("crl", item, "X509 CRL"));
  each("key", options.key, (item) => checkKey(item, passphrase));
  each("pfx", options.pfx, checkPfx);
  checkPair(options);
  try {
    return tls().createSecureContext(options);
  } catch (error) {
    throw new OptionsError("ssl", options, `what OpenSSL can use (${advice(error)})`);
  }
}

/** An option that may be one or a list. An empty list would be taken for "nobody", which nobody means. */
function each(name: string, given: unknown, check: (item: unknown) => void): void {
  if (given === undefined) return;
  const items: readonly unknown[] = Array.isArray(given) ? given : [given];
  if (items.length === 0) throw refusal(name, given, "at least one item");
  for (const item of items) check(item);
}

function checkCertificates(name: string, given: unknown): void {
  for (const block of pemOf(name, given, "CERTIFICATE")) {
    try {
      new X509Certificate(block);
    } catch (error) {
      throw refusal(
        name,
        given,
        `a certificate in PEM that OpenSSL can read (it says ${JSON.stringify(wordsOf(error))})`,
      );
    }
  }
}

/** Its passphrase may stand beside it: `{ pem, passphrase }`. */
function checkKey(given: unknown, passphrase: string | undefined): void {
  const item = isKeyed(given, "pem") ? given["pem"] : given;
  const [key] = pemOf("key", item, "PRIVATE KEY");
  const own = isKeyed(given, "pem") ? (given["passphrase"] ?? passphrase) : passphrase;
  if (own !== undefined && typeof own !== "string") throw refusal("key", given, "a passphrase that is a text");
  if (key === undefined) return;
  try {
    createPrivateKey({ key, ...(own === undefined ? {} : { passphrase: own }) });
  } catch (error) {
    const what = own === undefined ? "a private key" : "a private key, and its passphrase,";
    throw refusal("key", given, `${what} in PEM that OpenSSL can read (${advice(error)})`);
  }
}

function checkPfx(given: unknown): void {
  const item = isKeyed(given, "buf") ? given["buf"] : given;
  const bytes = bytesOf("pfx", item, "the content of a PKCS #12 keystore");
  // The first bytes of Java's own kinds of keystore, JKS and JCEKS.
  if (/^(?:feedfeed|cececece)/.test(bytes.toString("hex", 0, 4))) {
    throw refusal(
      "pfx",
      given,
      "a PKCS #12 keystore (keytool -importkeystore -deststoretype pkcs12 makes one of a JKS keystore)",
    );
  }
}

function checkPair({ key, cert, pfx, privateKeyIdentifier }: SecureContextOptions): void {
  if (pfx !== undefined) return;
  if (key !== undefined && cert === undefined) throw refusal("cert", cert, "the certificate that belongs to ssl.key");
  if (cert !== undefined && key === undefined && privateKeyIdentifier === undefined) {
    throw refusal("key", key, "the private key that belongs to ssl.cert");
  }
}

/** The blocks of one kind. @throws OptionsError where there is none */
function pemOf(name: string, given: unknown, label: string): string[] {
  const allowed = `PEM with a ${label} in it, the content and not the name of a file,`;
  const text = bytesOf(name, given, allowed).toString("latin1");
  const blocks = text.match(new RegExp(`-----BEGIN [\\w ]*${label}-----[^]*?-----END [\\w ]*${label}-----`, "g"));
  if (blocks === null) throw refusal(name, given, allowed);
  return blocks;
}

function bytesOf(name: string, given: unknown, allowed: string): Buffer {
  if (typeof given === "string") return Buffer.from(given, "latin1");
  if (ArrayBuffer.isView(given)) return Buffer.from(given.buffer, given.byteOffset, given.byteLength);
  throw refusal(name, given, allowed);
}

const isKeyed = <K extends string>(value: unknown, key: K): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && key in value;

const refusal = (name: string, given: unknown, allowed: string): OptionsError =>
  new OptionsError(`ssl.${name}`, withheld(given), allowed);

/** OpenSSL's words, with ours where they say too little. */
function advice(error: unknown): string {
  const words = wordsOf(error);
  const found = meanings.find(([pattern]) => pattern.test(words));
  const says = `it says ${JSON.stringify(words)}`;
  return found === undefined ? says : `${says}: ${found[1]}`;
}

const meanings: readonly (readonly [RegExp, string])[] = [
  [/bad decrypt/, "the passphrase is wrong"],
  [/interrupted or cancelled|passphrase required/i, "the key is encrypted, and ssl.passphrase is missing"],
  [/key values mismatch/, "ssl.key and ssl.cert do not belong together"],
  [/mac verify failure/, "the passphrase of ssl.pfx is missing or wrong"],
  [/not enough data|too long|wrong tag/, "ssl.pfx is no PKCS #12 keystore"],
  [/Unsupported PKCS12/, "ssl.pfx is encrypted in a way that OpenSSL 3 left behind; openssl pkcs12 makes a new one"],
];

/** Node shows what it received where a type is wrong. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return "no reason";
  if ("reason" in error && typeof error.reason === "string") return error.reason;
  return error.message.replace(/ Received .*$/s, "");
}
