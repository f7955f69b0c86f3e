import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { OptionsError } from "../../src/errors.ts";
import { OptionReader } from "../../src/option-reader.ts";
import { resolveSecurity, type Security } from "../../src/security/security-options.ts";
import { ManualClock } from "../manual-clock.ts";

const sasl = { mechanism: "SCRAM-SHA-512", username: "alice", password: "hunter2" };

function resolved(given: object): Security {
  const reader = new OptionReader(given);
  const security = resolveSecurity(reader);
  reader.finish();
  return security;
}

/** What it throws. */
const refusal = (given: object): OptionsError => {
  try {
    resolved(given);
  } catch (error) {
    if (error instanceof OptionsError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
};

describe("what is spoken with brokers", () => {
  test.each([
    [{}, "PLAINTEXT"],
    [{ ssl: null, sasl: null, securityProtocol: null }, "PLAINTEXT"],
    [{ ssl: false }, "PLAINTEXT"],
    [{ ssl: true }, "SSL"],
    [{ ssl: {} }, "SSL"],
    [{ ssl: () => ({}) }, "SSL"],
    [{ sasl }, "SASL_PLAINTEXT"],
    [{ sasl, ssl: false }, "SASL_PLAINTEXT"],
    [{ sasl, ssl: true }, "SASL_SSL"],
    [{ sasl, ssl: { servername: "kafka" } }, "SASL_SSL"],
  ])("follows from ssl and sasl: %o", (given, protocol) => {
    const security = resolved(given);
    expect(security.protocol).toBe(protocol);
    expect(security.tls !== null).toBe(protocol.endsWith("SSL"));
    expect(security.sasl !== null).toBe(protocol.startsWith("SASL"));
    expect(resolved({ ...given, securityProtocol: protocol }).protocol).toBe(protocol);
  });

  test.each([
    [{ securityProtocol: "SSL" }, "SSL"],
    [{ securityProtocol: "SASL_SSL", sasl }, "SASL_SSL"],
  ])("is encrypted where the protocol says so and ssl says nothing: %o", (given, protocol) => {
    const security = resolved(given);
    expect(security.protocol).toBe(protocol);
    expect(security.tls?.isVerifying).toBe(true);
  });

  test.each([
    [{ securityProtocol: "PLAINTEXT", ssl: true }, "SSL, or with it no option ssl,"],
    [{ securityProtocol: "PLAINTEXT", sasl }, "SASL_PLAINTEXT, or with it no option sasl,"],
    [{ securityProtocol: "PLAINTEXT", sasl, ssl: {} }, "SASL_SSL, or with it no option ssl and no option sasl,"],
    [{ securityProtocol: "SSL", ssl: false }, "PLAINTEXT, or with it ssl other than false,"],
    [{ securityProtocol: "SSL", ssl: true, sasl }, "SASL_SSL, or with it no option sasl,"],
    [{ securityProtocol: "SSL", sasl }, "SASL_SSL, or with it no option sasl,"],
    [{ securityProtocol: "SASL_PLAINTEXT" }, "PLAINTEXT, or with it the option sasl,"],
    [{ securityProtocol: "SASL_PLAINTEXT", sasl, ssl: true }, "SASL_SSL, or with it no option ssl,"],
    [{ securityProtocol: "SASL_PLAINTEXT", ssl: true }, "SSL, or with it no option ssl and the option sasl,"],
    [{ securityProtocol: "SASL_SSL", ssl: true }, "SSL, or with it the option sasl,"],
    [{ securityProtocol: "SASL_SSL" }, "SSL, or with it the option sasl,"],
    [{ securityProtocol: "SASL_SSL", sasl, ssl: false }, "SASL_PLAINTEXT, or with it ssl other than false,"],
  ])("may be stated, but not against them: %o", (given, allowed) => {
    const { option, message } = refusal(given);
    expect(option).toBe("securityProtocol");
    expect(message).toBe(`option securityProtocol: ${allowed} is expected, not "${given.securityProtocol}"`);
  });

  test("is none that Kafka does not know", () => {
    expect(refusal({ securityProtocol: "TLS" }).message).toBe(
      'option securityProtocol: one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL is expected, not "TLS"',
    );
  });
});

describe("what is made of it", () => {
  test("does not change, and its mechanism is the one that was asked for", () => {
    const security = resolved({ sasl, ssl: true });
    expect(Object.isFrozen(security)).toBe(true);
    expect(security.sasl?.(new ManualClock()).name).toBe("SCRAM-SHA-512");
  });

  test("shows no secret", () => {
    const ssl = { passphrase: "hunter2" };
    const security = resolved({ sasl, ssl });
    const mechanism = security.sasl?.(new ManualClock());
    const shown = inspect([security, mechanism], { showHidden: true, depth: Number.POSITIVE_INFINITY });
    expect(shown).toContain("TlsSettings");
    expect(shown).not.toContain("hunter2");
  });

  test.each([
    [{ ssl: "hunter2" }, "ssl"],
    [{ ssl: { key: "hunter2" } }, "ssl.key"],
    [{ ssl: { secret: "hunter2" } }, "ssl.secret"],
    [{ sasl: "hunter2" }, "sasl"],
    [{ sasl: { ...sasl, pass: "hunter2" } }, "sasl.pass"],
  ])("shows no secret in what it refuses: %#", (given, option) => {
    const error = refusal(given);
    expect(error.option).toBe(option);
    expect(inspect(error)).not.toContain("hunter2");
  });
});
