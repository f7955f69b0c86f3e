import { expect, test } from "vitest";
import { saslPrepared } from "../../src/security/sasl-prep.ts";

test.each([
  // RFC 4013, section 3.
  ["I\u00adX", "IX"],
  ["user", "user"],
  ["USER", "USER"],
  ["\u00aa", "a"],
  ["\u2168", "IX"],
  // And what people type: full width, ligatures, a space that does not break, a circled digit.
  ["\ufb01\u2460\u00aa", "fi1a"],
  ["a\u00a0b", "a b"],
  ["\u0627\u0628", "\u0627\u0628"],
])("%j is prepared as %j", (text, prepared) => {
  expect(saslPrepared(text)).toBe(prepared);
});

test.each([
  ["a control character", "\u0007"],
  ["letters of both directions", "\u0627\u0031"],
  ["a code point that nobody assigned", "a\u0221"],
  ["a private one", "\ue000"],
  ["a half of a pair", "\ud800"],
  ["nothing that is left", "\u00ad"],
])("%s makes no name or password", (_, text) => {
  expect(saslPrepared(text)).toBe(null);
});
