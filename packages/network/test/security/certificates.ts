import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { isIPv4 } from "node:net";

/** Both in PEM. */
export interface KeyPair {
  readonly key: string;
  readonly cert: string;
}

/** What a certificate says; where it says nothing else, it is a good one for `localhost` and 127.0.0.1. */
export interface Subject {
  readonly name?: string;
  /** DNS names and IPv4 addresses. */
  readonly hosts?: readonly string[];
  /** Days from now. */
  readonly valid?: readonly [from: number, to: number];
  readonly isAuthority?: boolean;
  /** Encrypts the key. */
  readonly passphrase?: string;
}

const dayMs = 24 * 60 * 60 * 1000;

/** Signs certificates, with `node:crypto` and nothing else. */
export class Authority implements KeyPair {
  readonly key: string;
  readonly cert: string;
  readonly #name: Buffer;
  readonly #privateKey: KeyObject;
  /** The serial numbers of what it signed. */
  readonly #issued: Buffer[] = [];

  /** @param signer who signs its certificate: itself, where nobody else does */
  constructor(name = "Test CA", signer?: Authority) {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    this.#privateKey = privateKey;
    this.key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    this.#name = distinguishedName(name);
    this.cert = (signer ?? this).#sign({ name, isAuthority: true }, publicKey);
  }

  issue(subject: Subject = {}): KeyPair {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const { passphrase } = subject;
    const cipher = passphrase === undefined ? {} : { cipher: "aes-256-cbc", passphrase };
    return {
      key: privateKey.export({ type: "pkcs8", format: "pem", ...cipher }).toString(),
      cert: this.#sign(subject, publicKey),
    };
  }

  /** A list of the certificates that do not hold any more, in PEM: all that were issued by now are on it. */
  revocationList(): string {
    const now = Date.now();
    const revoked = this.#issued.map((serial) => sequence(serial, time(now - dayMs)));
    const signed = sequence(
      integer(Buffer.of(1)),
      algorithm,
      this.#name,
      time(now - dayMs),
      time(now + dayMs),
      ...(revoked.length === 0 ? [] : [sequence(...revoked)]),
    );
    return pem("X509 CRL", this.#signed(signed));
  }

  /** X.509, version 3 (RFC 5280). */
  #sign(
    { name = "broker", hosts = ["localhost", "127.0.0.1"], valid = [-1, 3650], isAuthority = false }: Subject,
    publicKey: KeyObject,
  ): string {
    const now = Date.now();
    const serial = integer(Buffer.concat([Buffer.of(1), randomBytes(15)]));
    if (!isAuthority) this.#issued.push(serial);
    const extensions = isAuthority
      ? [sequence(oid("2.5.29.19"), yes, octets(sequence(yes)))]
      : [sequence(oid("2.5.29.17"), octets(sequence(...hosts.map(generalName))))];
    const signed = sequence(
      tlv(0xa0, integer(Buffer.of(2))),
      serial,
      algorithm,
      this.#name,
      sequence(time(now + valid[0] * dayMs), time(now + valid[1] * dayMs)),
      distinguishedName(name),
      publicKey.export({ type: "spki", format: "der" }),
      tlv(0xa3, sequence(...extensions)),
    );
    return pem("CERTIFICATE", this.#signed(signed));
  }

  #signed(content: Buffer): Buffer {
    return sequence(content, algorithm, tlv(0x03, Buffer.of(0), sign("sha256", content, this.#privateKey)));
  }
}

/** ASN.1 in its distinguished encoding (X.690), as far as certificates need it. */
function tlv(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content]);
  return Buffer.concat([Buffer.of(tag, 0x82, length >> 8, length & 0xff), content]);
}

const sequence = (...items: readonly Buffer[]): Buffer => tlv(0x30, ...items);
const octets = (content: Buffer): Buffer => tlv(0x04, content);
const integer = (bytes: Buffer): Buffer => tlv(0x02, bytes);
const yes = tlv(0x01, Buffer.of(0xff));
const time = (atMs: number): Buffer => tlv(0x18, Buffer.from(new Date(atMs).toISOString().replace(/[-:T]|\.\d+/g, "")));

/** All that we need begin with 2.5 or 1.2, and have no part of more than two digits to the base of 128. */
function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const digits = rest.flatMap((part) => (part < 0x80 ? [part] : [0x80 | (part >> 7), part & 0x7f]));
  return tlv(0x06, Buffer.from([first * 40 + second, ...digits]));
}

const algorithm = sequence(oid("1.2.840.10045.4.3.2"));

const distinguishedName = (name: string): Buffer =>
  sequence(tlv(0x31, sequence(oid("2.5.4.3"), tlv(0x0c, Buffer.from(name)))));

const generalName = (host: string): Buffer =>
  isIPv4(host) ? tlv(0x87, Buffer.from(host.split(".").map(Number))) : tlv(0x82, Buffer.from(host));

const pem = (label: string, der: Buffer): string =>
  `-----BEGIN ${label}-----\n${der.toString("base64").replace(/.{64}(?=.)/g, "$&\n")}\n-----END ${label}-----\n`;
