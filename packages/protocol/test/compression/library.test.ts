import { expect, test } from "vitest";
import { lazily } from "../../src/compression/library.ts";
import { KafkaError } from "../../src/errors.ts";

test("a library is loaded when it is first needed, and once", () => {
  let loads = 0;
  const library = lazily("some-package", () => ({ number: ++loads }));
  expect(loads).toBe(0);
  expect(library()).toBe(library());
  expect(loads).toBe(1);
});

test("a library that is missing is an error that says what to install", () => {
  const cause = new Error("Cannot find module 'some-package'");
  const library = lazily("some-package", () => {
    throw cause;
  });
  expect(library).toThrow(KafkaError);
  expect(library).toThrow('install it with "npm install some-package"');
  expect(library).toThrow(expect.objectContaining({ code: "UNSUPPORTED_COMPRESSION_TYPE", cause }));
});
