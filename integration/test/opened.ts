import { afterEach } from "vitest";

/** What is to be closed behind the test that opened it. */
export const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one[Symbol.asyncDispose]();
});

let serial = 0;

/** A name that no other test has. */
export const newName = (): string => `test-${process.pid}-${Date.now()}-${serial++}`;
