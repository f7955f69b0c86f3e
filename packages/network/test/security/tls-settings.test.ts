import { createPrivateKey } from "node:crypto";
import { inspect } from "node:util";
import { KafkaError } from "@odradek/protocol";
import { describe, expect, test } from "vitest";
import { AuthenticationError, OptionsError } from "../../src/errors.ts";
import { TlsSettings } from "../../src/security/tls-settings.ts";
import { Authority } from "./certificates.ts";

const authority = new Authority();
const client = authority.issue({ name: "client" });
const other = authority.issue({ name: "other" });
const encrypted = authority.issue({ name: "client", passphrase: "hunter2" });

const address = { host: "broker-1.example", port: 9093 };

/** What the constructor throws. */
const refusal = (given: unknown): OptionsError => {
  try {
    new TlsSettings(given);
  } catch (error) {
    if (error instanceof OptionsError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
};

/** A few letters out of the middle of a key: whoever shows it shows them. */
const keyLetters = (pem: string): string => (pem.split("\n")[2] ?? "").slice(5, 30);

describe("what a connection needs", () => {
  test("is made once of options that do not change", async () => {
    const settings = new TlsSettings({ ca: authority.cert, ...client });
    const [one, two] = [await settings.connectOptions(address), await settings.connectOptions(address)];
    expect(one.secureContext).toBeDefined();
    expect(one.secureContext).toBe(two.secureContext);
  });

  test.each([() => ({ ca: authority.cert }), async () => ({ ca: authority.cert })])(
    "is made anew for each connection of what a function gives: %s",
    async (ssl) => {
      const settings = new TlsSettings(ssl);
      const [one, two] = [await settings.connectOptions(address), await settings.connectOptions(address)];
      expect(one.secureContext).toBeDefined();
      expect(one.secureContext).not.toBe(two.secureContext);
    },
  );

  test.each([
    ["broker-1.example", "broker-1.example"],
    ["broker-1.example.", "broker-1.example"],
    ["localhost", "localhost"],
    ["10.0.0.1", undefined],
    ["::1", undefined],
  ])("names the host %s as %s: an address is no name", async (host, servername) => {
    const options = await new TlsSettings(true).connectOptions({ host, port: 9093 });
    expect(options.servername).toBe(servername);
    expect("servername" in options).toBe(servername !== undefined);
    expect(options.host).toBe(host);
  });

  test("names whom the user says, also for an address", async () => {
    const settings = new TlsSettings({ servername: "kafka.example" });
    expect((await settings.connectOptions({ host: "10.0.0.1", port: 9093 })).servername).toBe("kafka.example");
  });

  test("is what the user said of each connection, and no key, certificate or what was not said", async () => {
    const pskCallback = () => null;
    const settings = new TlsSettings({
      ca: authority.cert,
      ...client,
      passphrase: "unused",
      ALPNProtocols: ["kafka"],
      minDHSize: 2_048,
      pskCallback,
      enableTrace: undefined,
    });
    const options = await settings.connectOptions(address);
    expect({ ...options, secureContext: null }).toEqual({
      secureContext: null,
      host: address.host,
      servername: address.host,
      rejectUnauthorized: true,
      ALPNProtocols: ["kafka"],
      minDHSize: 2_048,
      pskCallback,
    });
    expect(Object.keys(options)).not.toContain("enableTrace");
  });

  test("is a secure context that the user made", async () => {
    const { secureContext } = await new TlsSettings({ ca: authority.cert }).connectOptions(address);
    const settings = new TlsSettings({ secureContext });
    expect((await settings.connectOptions(address)).secureContext).toBe(secureContext);
    expect(refusal({ secureContext, ca: authority.cert }).message).toBe(
      'option ssl.ca: nothing beside ssl.secureContext, which holds it, is expected, not "<string>"',
    );
  });
});

describe("the certificate of a broker", () => {
  test.each([true, {}, { rejectUnauthorized: true }, { rejectUnauthorized: undefined }])(
    "is checked with %o",
    async (ssl) => {
      const settings = new TlsSettings(ssl);
      expect(settings.isVerifying).toBe(true);
      expect((await settings.connectOptions(address)).rejectUnauthorized).toBe(true);
    },
  );

  test("is not checked where the user says so, and that can be asked", async () => {
    const settings = new TlsSettings({ rejectUnauthorized: false });
    expect(settings.isVerifying).toBe(false);
    expect((await settings.connectOptions(address)).rejectUnauthorized).toBe(false);
    const changing = new TlsSettings(() => ({ rejectUnauthorized: false }));
    expect((await changing.connectOptions(address)).rejectUnauthorized).toBe(false);
  });

  test("is looked at by a function of the user, whatever that does", async () => {
    const check = async (given: unknown): Promise<unknown> => {
      const settings = new TlsSettings({ checkServerIdentity: given });
      const { checkServerIdentity } = await settings.connectOptions(address);
      // The certificate of a broker, of which none of these functions looks at anything.
      return checkServerIdentity?.("broker-1", Object.create(null));
    };
    const altName = Object.assign(new Error("altname"), { code: "ERR_TLS_CERT_ALTNAME_INVALID" });
    expect(await check(() => undefined)).toBeUndefined();
    expect(await check(() => altName)).toBe(altName);
    expect(await check(() => new Error("not pinned"))).toMatchObject({
      name: "ServerIdentityError",
      message: "not pinned",
    });
    expect(
      await check(() => {
        throw new Error("broken");
      }),
    ).toMatchObject({ name: "ServerIdentityError", message: "broken" });
    expect(await check(async () => undefined)).toMatchObject({ name: "ServerIdentityError" });
  });
});

describe("options of TLS that are refused", () => {
  test.each(["host", "port", "socket", "path", "lookup", "timeout", "session"])("are ours: %s", (name) => {
    const { option, message } = refusal({ [name]: "hunter2" });
    expect(option).toBe(`ssl.${name}`);
    expect(message).toMatch(new RegExp(`^option ssl\\.${name}: one of the names ALPNCallback, .*, ca, .*, servername`));
    expect(message).not.toContain("hunter2");
  });

  test("are misspelt", () => {
    const { option, message } = refusal({ passPhrase: "hunter2" });
    expect(option).toBe("ssl.passPhrase");
    expect(message).toContain("passphrase");
    expect(message).not.toContain("hunter2");
  });

  test.each([
    ["rejectUnauthorized", "false"],
    ["rejectUnauthorized", 0],
    ["servername", ""],
    ["minDHSize", "large"],
    ["checkServerIdentity", "none"],
    ["pskCallback", {}],
    ["enableTrace", 1],
  ])("are not of their kind: %s as %o", (name, value) => {
    expect(refusal({ [name]: value }).option).toBe(`ssl.${name}`);
  });

  test.each([["true"], [1], [[]]])("are none: %o", (given) => {
    expect(refusal(given).message).toMatch(
      /^option ssl: true, or options of node:tls, or a function that gives them, is expected, not ./,
    );
  });

  test.each([
    [
      "ca",
      "/etc/kafka/ca.pem",
      /^option ssl\.ca: PEM with a CERTIFICATE in it, the content and not the name of a file, is expected/,
    ],
    ["ca", "", /^option ssl\.ca: PEM with a CERTIFICATE/],
    ["ca", 7, /^option ssl\.ca: PEM with a CERTIFICATE/],
    ["ca", [], /^option ssl\.ca: at least one item/],
    ["ca", [authority.cert, "x"], /^option ssl\.ca: PEM with a CERTIFICATE/],
    [
      "ca",
      authority.cert + damaged(client.cert),
      /^option ssl\.ca: a certificate in PEM that OpenSSL can read \(it says "/,
    ],
    ["ca", client.key, /^option ssl\.ca: PEM with a CERTIFICATE/],
    ["cert", "client.pem", /^option ssl\.cert: PEM with a CERTIFICATE/],
    ["cert", damaged(client.cert), /^option ssl\.cert: a certificate in PEM that OpenSSL can read \(it says "/],
    ["key", "client.key", /^option ssl\.key: PEM with a PRIVATE KEY/],
    ["key", client.cert, /^option ssl\.key: PEM with a PRIVATE KEY/],
    ["key", damaged(client.key), /^option ssl\.key: a private key in PEM that OpenSSL can read \(it says "/],
    ["crl", "x", /^option ssl\.crl: PEM with a X509 CRL/],
    ["pfx", 7, /^option ssl\.pfx: the content of a PKCS #12 keystore is expected/],
    ["pfx", Buffer.from("x"), /^option ssl: .*: ssl\.pfx is no PKCS #12 keystore/],
    ["pfx", Buffer.from("feedfeed00000002", "hex"), /^option ssl\.pfx: .*keytool -importkeystore/],
    ["passphrase", 7_777, /^option ssl\.passphrase: a text is expected/],
    ["ciphers", "NONE-SUCH", /^option ssl: what OpenSSL can use \(it says "no cipher match"\)/],
    ["minVersion", "TLSv9", /^option ssl: what OpenSSL can use \(it says "\\"TLSv9\\" is not a valid minimum TLS/],
  ])("are not readable: %s", (name, value, message) => {
    const refused = refusal({ [name]: value });
    expect(refused.message).toMatch(message);
    for (const secret of [keyLetters(client.key), "7777", "/etc"]) expect(refused.message).not.toContain(secret);
  });

  test("are halves of a pair", () => {
    expect(refusal({ key: client.key }).message).toContain("option ssl.cert: the certificate that belongs to ssl.key");
    expect(refusal({ cert: client.cert }).message).toContain(
      "option ssl.key: the private key that belongs to ssl.cert",
    );
  });

  test("do not belong together", () => {
    expect(refusal({ key: client.key, cert: other.cert }).message).toBe(
      'option ssl: what OpenSSL can use (it says "key values mismatch": ssl.key and ssl.cert do not belong together) is expected, not an object',
    );
  });

  test("lack the right passphrase", () => {
    expect(refusal(encrypted).message).toContain("the key is encrypted, and ssl.passphrase is missing");
    const { message } = refusal({ ...encrypted, passphrase: "hunter3" });
    expect(message).toContain('(it says "bad decrypt": the passphrase is wrong)');
    expect(message).not.toMatch(/hunter/);
  });

  test("lack the right passphrase of a keystore", () => {
    expect(() => new TlsSettings({ pfx: keystore, passphrase: "pfx-secret" })).not.toThrow();
    expect(() => new TlsSettings({ pfx: [{ buf: keystore, passphrase: "pfx-secret" }] })).not.toThrow();
    for (const given of [{ pfx: keystore }, { pfx: keystore, passphrase: "hunter3" }]) {
      const { message } = refusal(given);
      expect(message).toContain('(it says "mac verify failure": the passphrase of ssl.pfx is missing or wrong)');
      expect(message).not.toMatch(/hunter/);
    }
  });

  test("say nothing where they are null or undefined", () => {
    expect(() => new TlsSettings({ ca: undefined, key: null, host: undefined })).not.toThrow();
  });
});

describe("keys and certificates", () => {
  test.each([
    ["text", { ca: authority.cert, ...client }],
    [
      "bytes",
      { ca: Buffer.from(authority.cert), key: Buffer.from(client.key), cert: new TextEncoder().encode(client.cert) },
    ],
    ["lists", { ca: [authority.cert, new Authority().cert], key: [client.key], cert: [client.cert] }],
    ["several in one text", { ca: `Test CA\n${authority.cert}\n${new Authority().cert}` }],
    ["an encrypted key", { ...encrypted, passphrase: "hunter2" }],
    [
      "an encrypted key with its passphrase",
      { key: [{ pem: encrypted.key, passphrase: "hunter2" }], cert: encrypted.cert },
    ],
    ["a revocation list", { ca: authority.cert, crl: authority.revocationList() }],
    [
      "a key in its older form",
      { ...client, key: createPrivateKey(client.key).export({ type: "sec1", format: "pem" }) },
    ],
  ])("may be %s", async (_, ssl) => {
    expect((await new TlsSettings(ssl).connectOptions(address)).secureContext).toBeDefined();
  });
});

describe("a function that gives the options", () => {
  const failure = async (ssl: () => unknown): Promise<unknown> =>
    new TlsSettings(ssl).connectOptions(address).then(
      () => null,
      (error: unknown) => error,
    );

  test.each([
    () => {
      throw new Error("ENOENT: no such file, open 'client.pem'");
    },
    () => Promise.reject(new Error("ENOENT: no such file, open 'client.pem'")),
  ])("ends the attempt with its error: %s", async (ssl) => {
    const error = await failure(ssl);
    expect(error).toBeInstanceOf(AuthenticationError);
    expect(error).toMatchObject({
      code: "AUTHENTICATION",
      reason: "credentialsUnavailable",
      retriable: false,
      message:
        "TLS authentication with broker-1.example:9093: the function ssl failed: ENOENT: no such file, open 'client.pem'",
    });
  });

  test("may say that it will work later", async () => {
    const later = new KafkaError("the vault is sealed", { code: "CONNECTION", retriable: true });
    expect(await failure(() => Promise.reject(later))).toBe(later);
  });

  test.each([
    [undefined, "option ssl: true, or options"],
    [client.key, "option ssl: true, or options"],
    [{ ca: "ca.pem" }, "option ssl.ca: PEM with a CERTIFICATE"],
    [{ caa: client.key }, "option ssl.caa: one of the names"],
  ])("has what it gives looked at: %#", async (options, message) => {
    const error = await failure(() => options);
    expect(error).toMatchObject({ reason: "credentialsUnavailable", message: expect.stringContaining(message) });
    expect(inspect(error)).not.toContain(keyLetters(client.key));
  });

  test("is not called before there is a connection", () => {
    let calls = 0;
    new TlsSettings(() => {
      calls += 1;
      return {};
    });
    expect(calls).toBe(0);
  });
});

describe("whatever prints it", () => {
  const secrets = { ca: authority.cert, ...encrypted, passphrase: "hunter2" };
  test.each<[string, unknown]>([
    ["options", secrets],
    ["a function", () => secrets],
  ])("shows no key, passphrase or certificate of %s", async (_, ssl) => {
    const settings = new TlsSettings(ssl);
    const options = await settings.connectOptions(address);
    for (const shown of [
      inspect(settings, { showHidden: true, depth: Number.POSITIVE_INFINITY }),
      inspect(options, { showHidden: true, depth: Number.POSITIVE_INFINITY }),
      JSON.stringify(settings),
    ]) {
      expect(shown).not.toContain("hunter2");
      expect(shown).not.toContain("BEGIN");
      expect(shown).not.toContain(keyLetters(encrypted.key));
    }
  });
});

/** The same with its middle cut out: still PEM, but nothing that means anything. */
function damaged(pem: string): string {
  const lines = pem.trim().split("\n");
  return `${[...lines.slice(0, 1), "AAAA", ...lines.slice(-1)].join("\n")}\n`;
}

/** What `openssl pkcs12 -export` made of a key and a certificate, with the passphrase `pfx-secret`. */
const keystore = Buffer.from(
  "MIIDzAIBAzCCA4IGCSqGSIb3DQEHAaCCA3MEggNvMIIDazCCAiIGCSqGSIb3DQEHBqCCAhMwggIPAgEAMIICCAYJKoZIhvcNAQcB" +
    "MFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgrqLf+IQATvQICCAAwDAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEENZA" +
    "C4Tm/mbvP80L2swZfiqAggGgMmryUfcCZc2RiJLhoWiTj+7YTQEGvxHe0H+nckJKXV3jTy+f8dKukRQGaVXC39a/kAZv5dFZnvYm" +
    "EoIWeTuKA7V66euX/EzQHaHwMk0uK3xOh/Ue0TD/dLG21i4Fvql8ZRi5Zg2igYGkMZC72uf1Sl2/6icX8hh/Iw5y6e15zFjF4Ra5" +
    "PGbUCJ/x51eVHL4BdFb8leL0bZT4MTGN89H8TS9Rj7/Jw/AQCnXwNSR+fu9dh/7h/vnCWfc2krScr9kG9x2SYFWBH+As1V3zMgNk" +
    "P9EMFLp69Rln2ZMYU8kmvd3vGxQ5EfJNNCv9R8s3MLs+n15323Hyl8BGbzgmi7kdpv9bdjLo5Tw2hArMNi+51utbMm/5uLaDxaFN" +
    "3r4ocg+nd8R7F9qiQvSWNt+m7g1kIzOqRDd1S4C0kk5o7M74RQgQ/AIxnsOJa2tYCBnuvhZHtSpP/EjJWEH24c18zvbjNAUWHEYm" +
    "15QYV39YDiTF/M/QuA8yAaJLob/lERKmj5pbeSIe2m5opvtgJ1+Bt+ZyGcTW1+doZJnp/J5Z0PZcx1AwggFBBgkqhkiG9w0BBwGg" +
    "ggEyBIIBLjCCASowggEmBgsqhkiG9w0BDAoBAqCB7zCB7DBXBgkqhkiG9w0BBQ0wSjApBgkqhkiG9w0BBQwwHAQIYJlKvOx8f5sC" +
    "AggAMAwGCCqGSIb3DQIJBQAwHQYJYIZIAWUDBAEqBBCLBDegUt0KsKMsSxePxVA5BIGQaPUiwPY4t8oqoLdFIMKHTDxzuRpGRFsq" +
    "VFFpKDY9/vXAyTIBjVsR0pRBQST3axgY2LzdVDa3GRwinJc+e5ktdJyyfPuO6lEl8WYS9/g/ChrtRaLy1K4s/683TulAtbOlY+Mv" +
    "1HxY95tKCwkoNRjJnZ/ijVga417VXSrSGGXL1jdgb/BxON2nI7b5Z476XpPpMSUwIwYJKoZIhvcNAQkVMRYEFJoDo8XatuME+lZb" +
    "Y/CmyfwQ59scMEEwMTANBglghkgBZQMEAgEFAAQgZNJivmJALF6wzySrKSj64g5oon5DGZHBd9iYJTCLh9wECMDGjHGqs6BVAgII" +
    "AA==",
  "base64",
);
