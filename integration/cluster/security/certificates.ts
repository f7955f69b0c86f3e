import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { isIPv4 } from "node:net";
import { bits, constructed, integer, octets, oid, primitive, sequence, set, text, time, yes } from "./der.ts";

/** Both in PEM. */
export interface KeyPair {
  readonly key: string;
  readonly cert: string;
}

/** All that a test of TLS needs, in PEM. What is wrong with a certificate is all that is wrong with it. */
export interface Certificates {
  /** Of the authority that brokers trust, and that signed all of these but `stranger`. */
  readonly ca: string;
  /** For `localhost` and 127.0.0.1. */
  readonly broker: KeyPair;
  /** `User:O=Odradek,CN=client` to the broker. */
  readonly client: KeyPair;
  /** The same, its key encrypted. */
  readonly encryptedClient: KeyPair & { readonly passphrase: string };
  /** Names a host that brokers are not. */
  readonly wrongHost: KeyPair;
  /** Was valid for a day, until yesterday. */
  readonly expired: KeyPair;
  /** Signed by an authority that nobody trusts. */
  readonly stranger: KeyPair;
}

const dayMs = 24 * 60 * 60 * 1000;
const passphrase = "client-secret";
const brokerHosts = ["localhost", "127.0.0.1"];

export function issueCertificates(): Certificates {
  const authority = newAuthority("Odradek test CA");
  const client = issue(authority, { names: { CN: "client", O: "Odradek" } });
  return {
    ca: authority.cert,
    broker: pem(issue(authority, { names: { CN: "broker" }, hosts: brokerHosts })),
    client: pem(client),
    encryptedClient: { ...pem(client, passphrase), passphrase },
    wrongHost: pem(issue(authority, { names: { CN: "elsewhere" }, hosts: ["elsewhere.invalid"] })),
    expired: pem(
      issue(authority, { names: { CN: "expired" }, hosts: brokerHosts, validFromMs: -2 * dayMs, validToMs: -dayMs }),
    ),
    stranger: pem(issue(newAuthority("Somebody else's CA"), { names: { CN: "stranger" }, hosts: brokerHosts })),
  };
}

interface Issued {
  readonly key: KeyObject;
  readonly cert: string;
}

interface Authority extends Issued {
  readonly name: Buffer;
}

interface Subject {
  readonly names: Readonly<Partial<Record<"CN" | "O", string>>>;
  /** DNS names and IPv4 addresses. */
  readonly hosts?: readonly string[];
  /** From now. */
  readonly validFromMs?: number;
  readonly validToMs?: number;
}

const id = {
  ecdsaWithSha256: oid("1.2.840.10045.4.3.2"),
  CN: oid("2.5.4.3"),
  O: oid("2.5.4.10"),
  basicConstraints: oid("2.5.29.19"),
  subjectAltName: oid("2.5.29.17"),
  extendedKeyUsage: oid("2.5.29.37"),
  serverAuth: oid("1.3.6.1.5.5.7.3.1"),
  clientAuth: oid("1.3.6.1.5.5.7.3.2"),
};
const algorithm = sequence(id.ecdsaWithSha256);
const eitherSide = sequence(id.extendedKeyUsage, octets(sequence(id.serverAuth, id.clientAuth)));

function newAuthority(commonName: string): Authority {
  const { privateKey: key, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const name = distinguishedName({ CN: commonName });
  const isAuthority = sequence(id.basicConstraints, yes, octets(sequence(yes)));
  return { key, name, cert: certificate({ key, name }, { publicKey, name, extensions: [isAuthority] }) };
}

function issue(authority: Authority, { names, hosts = [], validFromMs, validToMs }: Subject): Issued {
  const { privateKey: key, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const extensions = hosts.length === 0 ? [eitherSide] : [eitherSide, alternativeNames(hosts)];
  return {
    key,
    cert: certificate(authority, { publicKey, name: distinguishedName(names), extensions, validFromMs, validToMs }),
  };
}

/** X.509, version 3 (RFC 5280). */
function certificate(
  issuer: { readonly key: KeyObject; readonly name: Buffer },
  subject: {
    readonly publicKey: KeyObject;
    readonly name: Buffer;
    readonly extensions: readonly Buffer[];
    readonly validFromMs?: number | undefined;
    readonly validToMs?: number | undefined;
  },
): string {
  const { publicKey, name, extensions, validFromMs = -dayMs, validToMs = 3650 * dayMs } = subject;
  const now = Date.now();
  const signed = sequence(
    constructed(0, integer(Buffer.of(2))),
    integer(Buffer.concat([Buffer.of(1), randomBytes(15)])),
    algorithm,
    issuer.name,
    sequence(time(new Date(now + validFromMs)), time(new Date(now + validToMs))),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    constructed(3, sequence(...extensions)),
  );
  const der = sequence(signed, algorithm, bits(sign("sha256", signed, issuer.key)));
  const lines = der.toString("base64").replace(/.{64}(?=.)/g, "$&\n");
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

const distinguishedName = (names: Subject["names"]): Buffer =>
  sequence(...(["CN", "O"] as const).flatMap((part) => attribute(part, names[part])));

const attribute = (part: "CN" | "O", value: string | undefined): Buffer[] =>
  value === undefined ? [] : [set(sequence(id[part], text(value)))];

const alternativeNames = (hosts: readonly string[]): Buffer =>
  sequence(
    id.subjectAltName,
    octets(
      sequence(
        ...hosts.map((host) =>
          isIPv4(host) ? primitive(7, Buffer.from(host.split(".").map(Number))) : primitive(2, Buffer.from(host)),
        ),
      ),
    ),
  );

function pem({ key, cert }: Issued, secret?: string): KeyPair {
  const cipher = secret === undefined ? {} : { cipher: "aes-256-cbc", passphrase: secret };
  return { key: key.export({ type: "pkcs8", format: "pem", ...cipher }).toString(), cert };
}
