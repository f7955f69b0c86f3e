import { expect, test } from "vitest";
import { Plain } from "../../src/security/plain.ts";

test("name and password go in one token, in UTF-8, for nobody else's account", async () => {
  const tokens: string[] = [];
  const plain = new Plain("älice", "p,=ß");
  await plain.authenticate(async (token) => {
    tokens.push(Buffer.from(token).toString("hex"));
    return Buffer.alloc(0);
  });
  expect(plain.name).toBe("PLAIN");
  expect(tokens).toEqual([Buffer.from("\0älice\0p,=ß").toString("hex")]);
});

test("the broker's refusal is passed on as it is", async () => {
  const refusal = new Error("SASL_AUTHENTICATION_FAILED");
  const authentication = new Plain("alice", "wrong").authenticate(() => Promise.reject(refusal));
  await expect(authentication).rejects.toBe(refusal);
});
