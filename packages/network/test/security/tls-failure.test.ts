import { describe, expect, test } from "vitest";
import { ServerIdentityError, type TlsProgress, tlsFailure } from "../../src/security/tls-failure.ts";

const greeting: TlsProgress = { host: "broker-1", isSecure: false, isNegotiated: false, hasCertificate: false };
const agreed: TlsProgress = { ...greeting, isNegotiated: true };
const secure: TlsProgress = { ...agreed, isSecure: true };

const coded = (code: string, message: string, more: object = {}): Error =>
  Object.assign(new Error(message), { code, ...more });

/** What Node reports of an alert, with the codes and words of OpenSSL 3.0 and of 3.5. */
const alerted = (number: number): readonly Error[] => [
  coded(
    "ERR_SSL_SSLV3_ALERT_X",
    `80DC:error:0A000412:SSL routines:ssl3_read_bytes:sslv3 alert x:../ssl/record/rec_layer_s3.c:1601:SSL alert number ${number}\n`,
  ),
  coded(
    "ERR_SSL_SSL/TLS_ALERT_X",
    `407D:error:0A000412:SSL routines:ssl3_read_bytes:ssl/tls alert x:../ssl/record/rec_layer_s3.c:918:SSL alert number ${number}\n`,
  ),
  coded(
    "EPROTO",
    `write EPROTO 407D:error:0A000412:SSL routines:ssl3_read_bytes:ssl/tls alert x:../ssl/record/rec_layer_s3.c:918:SSL alert number ${number}\n`,
  ),
];

const openSsl = (reason: string): Error =>
  coded("ERR_SSL_X", `80DC:error:0A00010B:SSL routines:ssl3_get_record:${reason}:../ssl/record/ssl3_record.c:350:\n`);

describe("a certificate of the broker", () => {
  test.each(["CERT_HAS_EXPIRED", "CERT_NOT_YET_VALID"])("is out of its time: %s", (code) => {
    expect(tlsFailure(coded(code, "x"), agreed).reason).toBe("certificateExpired");
  });

  test.each([
    "DEPTH_ZERO_SELF_SIGNED_CERT",
    "SELF_SIGNED_CERT_IN_CHAIN",
    "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    "UNABLE_TO_GET_ISSUER_CERT",
    "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
    "UNABLE_TO_GET_CRL",
    "CERT_REVOKED",
    "CERT_UNTRUSTED",
    "CERT_REJECTED",
    "CERT_SIGNATURE_FAILURE",
    "CRL_HAS_EXPIRED",
    "INVALID_CA",
    "INVALID_PURPOSE",
    "PATH_LENGTH_EXCEEDED",
    "UNSPECIFIED",
  ])("is not trusted: %s", (code) => {
    const { reason, text } = tlsFailure(coded(code, "x"), agreed);
    expect(reason).toBe("certificateUntrusted");
    expect(text).toMatch(/^the certificate of the broker is not trusted: ./);
  });

  test("is for other hosts: named are the one that was looked for, and those that it has", () => {
    const error = coded("ERR_TLS_CERT_ALTNAME_INVALID", "x", {
      host: "kafka.example",
      cert: { subjectaltname: "DNS:elsewhere.invalid, IP Address:10.0.0.1" },
    });
    expect(tlsFailure(error, agreed)).toEqual({
      reason: "certificateHostMismatch",
      text:
        "the certificate of the broker is for DNS:elsewhere.invalid, IP Address:10.0.0.1, not for kafka.example; " +
        "connect by a name that it has, or say one in ssl.servername",
    });
  });

  test.each([{}, { cert: {} }, { cert: { subjectaltname: "" } }])("is for no host at all: %o", (more) => {
    const { reason, text } = tlsFailure(coded("ERR_TLS_CERT_ALTNAME_INVALID", "x", more), agreed);
    expect(reason).toBe("certificateHostMismatch");
    expect(text).toContain("is for no host at all, not for broker-1;");
  });

  test("may name any number of hosts, and the text stays short", () => {
    const cert = { subjectaltname: "DNS:a.example, ".repeat(10_000) };
    expect(tlsFailure(coded("ERR_TLS_CERT_ALTNAME_INVALID", "x", { cert }), agreed).text.length).toBeLessThan(500);
  });

  test("is refused by the function that looks at it", () => {
    expect(tlsFailure(new ServerIdentityError(new Error("not the pinned one")), agreed)).toEqual({
      reason: "certificateHostMismatch",
      text: "ssl.checkServerIdentity refuses the broker: not the pinned one",
    });
  });
});

describe("an alert", () => {
  test.each([41, 42, 43, 44, 45, 46, 48, 49, 116])(
    "%i refuses our certificate, before and after the handshake",
    (number) => {
      for (const error of alerted(number)) {
        for (const progress of [agreed, secure]) {
          expect(tlsFailure(error, progress)).toEqual({
            reason: "certificateRefused",
            text: expect.stringMatching(
              new RegExp(
                `^the broker wants a certificate and got none \\([a-z ]+, alert ${number}\\); give ssl.key and ssl.cert`,
              ),
            ),
          });
          expect(tlsFailure(error, { ...progress, hasCertificate: true })).toEqual({
            reason: "certificateRefused",
            text: expect.stringMatching(
              new RegExp(`^the broker refused our certificate \\([a-z ]+, alert ${number}\\): `),
            ),
          });
        }
      }
    },
  );

  test.each([10, 40, 47, 50, 51, 70, 71, 86, 109, 110, 120])(
    "%i before a cipher says that there is none in common",
    (number) => {
      for (const error of alerted(number)) {
        expect(tlsFailure(error, greeting)).toEqual({
          reason: "tlsRefused",
          text: expect.stringContaining(`alert ${number}); see ssl.minVersion, ssl.maxVersion and ssl.ciphers`),
        });
      }
    },
  );

  test.each([40, 51])("%i is about our certificate once there is a cipher, as TLS 1.2 has it", (number) => {
    for (const error of alerted(number)) expect(tlsFailure(error, agreed).reason).toBe("certificateRefused");
  });

  test("112 says that the broker knows no such host", () => {
    for (const error of alerted(112)) {
      expect(tlsFailure(error, greeting)).toEqual({
        reason: "tlsRefused",
        text: "the broker knows no host broker-1 (alert 112); say a name that it knows in ssl.servername",
      });
    }
  });

  test.each([20, 22, 80, 90, 255])("%i is trouble that may pass", (number) => {
    for (const error of alerted(number)) {
      expect(tlsFailure(error, greeting)).toEqual({ reason: null, text: `the broker ended TLS with alert ${number}` });
    }
  });

  test.each([10, 47, 70, 112])("%i in the midst of a connection is no matter of who is who", (number) => {
    for (const error of alerted(number)) expect(tlsFailure(error, secure).reason).toBeNull();
  });
});

describe("a peer", () => {
  test.each([
    "wrong version number",
    "packet length too long",
    "data length too long",
    "unexpected message",
    "http request",
  ])("speaks no TLS: %s", (reason) => {
    expect(tlsFailure(openSsl(reason), greeting)).toEqual({
      reason: "tlsRefused",
      text: `the broker does not speak TLS (${reason}); is this the port of a listener with TLS?`,
    });
  });

  test.each(["unsupported protocol", "no protocols available", "wrong cipher returned", "dh key too small"])(
    "cannot agree with us: %s",
    (reason) => {
      expect(tlsFailure(openSsl(reason), greeting)).toEqual({
        reason: "tlsRefused",
        text: `TLS cannot be agreed on with the broker (${reason}); see ssl.minVersion, ssl.maxVersion and ssl.ciphers`,
      });
    },
  );

  test.each([
    coded("ECONNRESET", "Client network socket disconnected before secure TLS connection was established"),
    coded("ECONNRESET", "read ECONNRESET"),
    coded("EPIPE", "write EPIPE"),
  ])("that leaves in the handshake may be back, or may be none of TLS: %s", (error) => {
    expect(tlsFailure(error, greeting)).toEqual({
      reason: null,
      text: "closed by the broker in the TLS handshake; is this the port of a listener with TLS?",
    });
  });
});

describe("trouble of any connection", () => {
  test.each([
    [coded("ECONNREFUSED", "connect ECONNREFUSED 127.0.0.1:9093"), greeting],
    [coded("ECONNRESET", "read ECONNRESET"), secure],
    [new Error("without a code"), agreed],
  ])("stays what it is: %s", (error, progress) => {
    expect(tlsFailure(error, progress)).toEqual({ reason: null, text: error.message });
  });

  test("is what bytes are that were damaged on their way", () => {
    expect(tlsFailure(openSsl("decryption failed or bad record mac"), agreed).reason).toBeNull();
  });
});
