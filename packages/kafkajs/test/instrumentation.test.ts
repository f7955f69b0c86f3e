import { expect, test } from "vitest";
import { Instrumentation, type InstrumentationEvent } from "../src/client/instrumentation.ts";
import { createLogger, type LogEntry } from "../src/logger.ts";

const setUp = () => {
  const entries: LogEntry[] = [];
  const logger = createLogger(5, () => (entry) => void entries.push(entry));
  return { entries, events: new Instrumentation("admin", { CONNECT: "admin.connect" }, logger) };
};

test("listeners are told at once, until they are removed", () => {
  const { events } = setUp();
  const told: InstrumentationEvent<unknown>[] = [];
  const listener = (event: InstrumentationEvent<unknown>) => void told.push(event);
  const remove = events.on("admin.connect", listener);
  events.on("admin.connect", listener);
  events.emit("admin.connect", { some: 1 });
  expect(told).toHaveLength(2);
  expect(told[0]).toMatchObject({ type: "admin.connect", payload: { some: 1 } });
  remove();
  events.emit("admin.connect");
  expect(told).toHaveLength(3);
  expect(Number(told[2]!.id)).toBeGreaterThan(Number(told[0]!.id));
});

test("what a listener throws or rejects with is logged, and reaches nobody else", async () => {
  const { events, entries } = setUp();
  const told: unknown[] = [];
  events.on("admin.connect", () => {
    throw new Error("sync");
  });
  const rejected = Promise.reject(new Error("async"));
  events.on("admin.connect", () => rejected);
  events.on("admin.connect", (event) => told.push(event));
  events.emit("admin.connect");
  await rejected.catch(() => {});
  expect(told).toHaveLength(1);
  expect(entries.map(({ log }) => log.message)).toEqual([
    "Failed to execute listener: sync",
    "Failed to execute listener: async",
  ]);
});

test("an event that there is not is refused", () => {
  expect(() => setUp().events.on("admin.nothing", () => {})).toThrow(
    "Event name should be one of admin.events.CONNECT",
  );
});
