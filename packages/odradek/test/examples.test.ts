import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { AwsMskIam, signedPayload } from "../../../examples/aws-msk-iam-mechanism.ts";
import { Gssapi, type GssContext } from "../../../examples/gssapi-mechanism.ts";

const broker = { host: "broker-1.example", port: 9098 };

describe("the example of AWS_MSK_IAM", () => {
  const credentials = { accessKeyId: "ACCESS_KEY", secretAccessKey: "SECRET_KEY" };
  const request = {
    host: "localhost",
    region: "us-east-1",
    at: new Date("2021-10-14T13:05:00.999Z"),
    expiresSeconds: 300,
  };

  test("signs as AWS's own SDK for Go does", () => {
    expect(signedPayload(credentials, request)).toEqual({
      version: "2020_10_22",
      host: "localhost",
      "user-agent": "odradek",
      action: "kafka-cluster:Connect",
      "x-amz-algorithm": "AWS4-HMAC-SHA256",
      "x-amz-credential": "ACCESS_KEY/20211014/us-east-1/kafka-cluster/aws4_request",
      "x-amz-date": "20211014T130500Z",
      "x-amz-expires": "300",
      "x-amz-signedheaders": "host",
      "x-amz-signature": "6b8d25f9b45b9c7db9da855a49112d80379224153a27fd279c305a5b7940d1a7",
    });
  });

  test("signs the token of lent credentials too", () => {
    const payload = signedPayload({ ...credentials, sessionToken: "a/b+c=" }, request);
    expect(payload["x-amz-security-token"]).toBe("a/b+c=");
    expect(payload["x-amz-signature"]).not.toBe(signedPayload(credentials, request)["x-amz-signature"]);
  });

  test("signs for the broker that it talks to, with the credentials of that moment, and sends no secret", async () => {
    const given = [credentials, { ...credentials, accessKeyId: "NEXT_KEY" }];
    const mechanism = new AwsMskIam({ region: "eu-west-1", credentials: async () => given.shift() ?? credentials });
    const sent: string[] = [];
    const exchange = async (token: Uint8Array) => {
      sent.push(Buffer.from(token).toString());
      return Buffer.from('{"version":"2020_10_22","request-id":"1"}');
    };
    await mechanism.authenticate(exchange, broker);
    await mechanism.authenticate(exchange, broker);
    const [one, two] = sent.map((payload) => JSON.parse(payload));
    expect(one.host).toBe(broker.host);
    expect(one["x-amz-credential"]).toMatch(/^ACCESS_KEY\/\d{8}\/eu-west-1\/kafka-cluster\/aws4_request$/);
    expect(two["x-amz-credential"]).toMatch(/^NEXT_KEY\//);
    expect(sent.join()).not.toContain("SECRET_KEY");
    expect(inspect(mechanism, { showHidden: true, depth: 9 })).not.toContain("KEY");
  });

  test("takes an empty answer for a no", async () => {
    const mechanism = new AwsMskIam({ region: "eu-west-1", credentials: () => credentials });
    await expect(mechanism.authenticate(async () => Buffer.alloc(0), broker)).rejects.toThrow("no request id");
  });
});

describe("the example of GSSAPI", () => {
  /** Needs some steps to be complete, and marks what it wraps. */
  class ScriptedContext implements GssContext {
    readonly #tokens: string[];

    constructor(tokens: readonly string[]) {
      this.#tokens = [...tokens];
    }

    get isComplete(): boolean {
      return this.#tokens.length === 0;
    }

    async step(challenge: Uint8Array): Promise<Uint8Array> {
      return Buffer.from(`${this.#tokens.shift()}<${Buffer.from(challenge).toString()}>`);
    }

    async unwrap(message: Uint8Array): Promise<Uint8Array> {
      return message.subarray("wrapped:".length);
    }

    async wrap(message: Uint8Array): Promise<Uint8Array> {
      return Buffer.concat([Buffer.from("wrapped:"), message]);
    }
  }

  /** Authenticates with a broker that answers with these, and gives what it was sent. */
  async function sent(tokens: readonly string[], answers: readonly Buffer[]): Promise<Buffer[]> {
    const left = [...answers];
    const messages: Buffer[] = [];
    await new Gssapi(async (host) => {
      expect(host).toBe(broker.host);
      return new ScriptedContext(tokens);
    }).authenticate(async (token) => {
      messages.push(Buffer.from(token));
      const answer = left.shift();
      if (answer === undefined) throw new Error("asked once too often");
      return answer;
    }, broker);
    expect(left).toEqual([]);
    return messages;
  }

  const offer = (...bytes: number[]): Buffer => Buffer.concat([Buffer.from("wrapped:"), Buffer.from(bytes)]);

  test.each([
    ["one side", ["ticket"], [], ["ticket<>"]],
    ["both sides", ["ticket", "thanks"], [Buffer.from("proof")], ["ticket<>", "thanks<proof>"]],
  ])("has %s show who it is, then settles for no protection", async (_, tokens, answers, expected) => {
    const messages = await sent(tokens, [...answers, offer(1, 0, 0, 0), Buffer.alloc(0)]);
    expect(messages.slice(0, -1).map(String)).toEqual(expected);
    expect(messages.at(-1)).toEqual(offer(1, 0, 0, 0));
  });

  test("takes an offer with protection beside none", async () => {
    const messages = await sent(["ticket"], [offer(7, 0, 255, 255), Buffer.alloc(0)]);
    expect(messages.at(-1)).toEqual(offer(1, 0, 0, 0));
  });

  test.each([[offer(6, 0, 255, 255)], [offer()], [offer(1)]])(
    "ends where nothing else is offered: %#",
    async (answer) => {
      await expect(sent(["ticket"], [answer])).rejects.toThrow("which Kafka has no way to do");
    },
  );
});
