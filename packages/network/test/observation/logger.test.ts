import { describe, expect, test } from "vitest";
import { guarded, isLogger, type Logger, silentLogger } from "../../src/observation/logger.ts";

const loggerThat = (say: (...args: unknown[]) => unknown): Logger => ({ debug: say, info: say, warn: say, error: say });

describe("what is a logger", () => {
  class MyLogger {
    debug() {}
    info() {}
    warn() {}
    error() {}
  }

  test.each([
    ["console", console],
    ["the silent one", silentLogger],
    ["an object of a class", new MyLogger()],
    [
      "a function with methods",
      Object.assign(
        () => {},
        loggerThat(() => {}),
      ),
    ],
  ])("%s is one", (_, value) => {
    expect(isLogger(value)).toBe(true);
  });

  test.each([
    ["nothing", undefined],
    ["null", null],
    ["a text", "debug"],
    ["a function", () => {}],
    ["one that cannot warn", { debug() {}, info() {}, error() {} }],
    ["one whose level is no function", { ...loggerThat(() => {}), error: true }],
  ])("%s is none", (_, value) => {
    expect(isLogger(value)).toBe(false);
  });
});

describe("a guarded logger", () => {
  const levels = ["debug", "info", "warn", "error"] as const;

  test.each(levels)("passes on what is said at %s, to the logger as its own method", (level) => {
    const said: unknown[] = [];
    class Recorder {
      readonly prefix = "it said";
      #say(...args: unknown[]) {
        said.push([this.prefix, ...args]);
      }
      debug = (...args: unknown[]) => this.#say("debug", ...args);
      info(...args: unknown[]) {
        this.#say("info", ...args);
      }
      warn(...args: unknown[]) {
        this.#say("warn", ...args);
      }
      error(...args: unknown[]) {
        this.#say("error", ...args);
      }
    }
    guarded(new Recorder())[level]("lost node 1", { nodeId: 1 });
    expect(said).toEqual([["it said", level, "lost node 1", { nodeId: 1 }]]);
  });

  test.each(levels)("keeps to itself what the logger throws at %s", (level) => {
    let calls = 0;
    const logger = guarded(
      loggerThat(() => {
        calls += 1;
        throw new Error("disk full");
      }),
    );
    logger[level]("message");
    expect(calls).toBe(1);
  });

  test("keeps to itself what an async logger rejects with", async () => {
    const unhandled: unknown[] = [];
    const onUnhandled = (reason: unknown) => unhandled.push(reason);
    process.on("unhandledRejection", onUnhandled);
    guarded(loggerThat(() => Promise.reject(new Error("disk full")))).info("message");
    // Node tells of rejections that nobody handles when the microtasks are done, before it goes on with the loop.
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", onUnhandled);
    expect(unhandled).toEqual([]);
  });
});
