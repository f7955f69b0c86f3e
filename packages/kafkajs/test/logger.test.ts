import { afterEach, describe, expect, test, vi } from "vitest";
import { call, libraries, make } from "./libraries.ts";

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

interface Entry {
  readonly namespace: string;
  readonly level: number;
  readonly label: string;
  readonly log: Readonly<Record<string, unknown>>;
}

describe.each(libraries)("loggers of %s", (_, library) => {
  const setUp = (logLevel?: number) => {
    const entries: Entry[] = [];
    const levels: number[] = [];
    const logCreator = (level: number) => {
      levels.push(level);
      return (entry: Entry) => void entries.push(entry);
    };
    const options = logLevel === undefined ? {} : { logLevel };
    const kafka = make(library, "Kafka", { brokers: [], logCreator, ...options });
    return { kafka, logger: call(kafka, "logger"), entries, levels };
  };

  const sayAll = (logger: unknown) =>
    ["error", "warn", "info", "debug"].forEach((name) => void call(logger, name, name));

  test.each([
    [0, []],
    [1, ["ERROR"]],
    [2, ["ERROR", "WARN"]],
    [4, ["ERROR", "WARN", "INFO"]],
    [5, ["ERROR", "WARN", "INFO", "DEBUG"]],
    [undefined, ["ERROR", "WARN", "INFO"]],
  ])("level %s lets %j through", (level, labels) => {
    const { logger, entries, levels } = setUp(level);
    sayAll(logger);
    expect(entries.map(({ label }) => label)).toEqual(labels);
    expect(levels).toEqual([level ?? 4]);
  });

  test("an entry has time, logger, message and what the caller adds", () => {
    const { logger, entries } = setUp();
    call(logger, "warn", "look", { broker: "b:1" });
    const [entry] = entries;
    expect(entry).toMatchObject({
      level: 2,
      label: "WARN",
      log: { logger: "kafkajs", message: "look", broker: "b:1" },
    });
    expect(String(entry?.log["timestamp"])).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  test("namespaces do not nest", () => {
    const { logger, entries } = setUp();
    call(call(call(logger, "namespace", "Outer"), "namespace", "Inner"), "info", "here");
    expect(entries[0]).toMatchObject({ namespace: "Inner" });
  });

  test("setLogLevel of any logger is for all of them, except those with a level of their own", () => {
    const { logger, entries } = setUp();
    const own = call(logger, "namespace", "Own", 5);
    const other = call(logger, "namespace", "Other");
    call(other, "setLogLevel", 1);
    sayAll(logger);
    expect(entries.map(({ label }) => label)).toEqual(["ERROR"]);
    sayAll(own);
    expect(entries.filter(({ namespace }) => namespace === "Own")).toHaveLength(4);
  });

  test.each([
    ["debug", 4],
    ["NOTHING", 0],
  ])("KAFKAJS_LOG_LEVEL=%s wins", (level, count) => {
    vi.stubEnv("KAFKAJS_LOG_LEVEL", level);
    const { logger, entries } = setUp(2);
    sayAll(call(logger, "namespace", "Own", 1));
    expect(entries).toHaveLength(count);
  });

  test("KAFKAJS_LOG_LEVEL that is no level has no effect", () => {
    vi.stubEnv("KAFKAJS_LOG_LEVEL", "loud");
    const { logger, entries } = setUp(2);
    sayAll(logger);
    expect(entries.map(({ label }) => label)).toEqual(["ERROR", "WARN"]);
  });

  test.each([
    ["info", "info"],
    ["error", "error"],
    ["warn", "warn"],
    ["debug", "log"],
  ] as const)("without a logCreator %s is a line of JSON by console.%s", (name, method) => {
    const lines: unknown[] = [];
    vi.spyOn(console, method).mockImplementation((line: unknown) => void lines.push(line));
    const logger = call(make(library, "Kafka", { brokers: [], logLevel: 5 }), "logger");
    call(call(logger, "namespace", "Here"), name, "look", { broker: "b:1" });
    call(logger, name, "bare");
    const [first, second] = lines.map((line): unknown => JSON.parse(String(line)));
    expect(first).toMatchObject({
      level: name.toUpperCase(),
      logger: "kafkajs",
      message: "[Here] look",
      broker: "b:1",
    });
    expect(second).toMatchObject({ message: "bare" });
  });
});

test("an option that has no effect is warned of, once for each Kafka", () => {
  const messages: unknown[] = [];
  const logCreator = () => (entry: Entry) => void messages.push([entry.label, entry.log["message"]]);
  const ours = libraries.find(([name]) => name.startsWith("@odradek"))?.[1];
  make(ours ?? {}, "Kafka", { brokers: [], logCreator, reauthenticationThreshold: 5_000 });
  expect(messages).toEqual([["WARN", expect.stringMatching(/^reauthenticationThreshold has no effect/)]]);
});
