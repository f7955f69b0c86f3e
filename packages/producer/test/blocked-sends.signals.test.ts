import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../../network/test/manual-clock.ts";
import { BlockedSends } from "../src/blocked-sends.ts";
import { recordOf, Told } from "./told.ts";

/** Records of a topic that wait until the test lets the first of them go, and all behind it. */
function setUp() {
  const ended: string[] = [];
  let isOpen = false;
  let letGo = (): void => {};
  const blocked = new BlockedSends(new ManualClock(), 500, {
    lacksPartition: () => false,
    admit: ({ position }, _, signal) => {
      const admitted = () => ended.push(`${position} admitted`) > 0;
      if (isOpen) {
        admitted();
        return null;
      }
      return new Promise<void>((resolve, reject) => {
        letGo = resolve;
        signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
      }).then(admitted);
    },
    fail: ({ position }) => ended.push(`${position} failed`),
  });
  let position = 0;
  const add = (signal?: AbortSignal): void =>
    blocked.add(recordOf(1, { delivery: new Told(), position: position++ }), signal);
  const open = (): void => {
    isOpen = true;
    letGo();
  };
  return { blocked, ended, add, open };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("a signal of many blocked records", () => {
  test("is listened to once, and as long as one of them waits", async () => {
    const { add, open } = setUp();
    const { signal } = new AbortController();
    for (let record = 0; record < 20; record++) add(signal);
    await turn();
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    open();
    await turn();
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });

  test("gives up all of them, and none besides", async () => {
    const { add, ended, open, blocked } = setUp();
    const given = new AbortController();
    add(given.signal);
    add();
    add(given.signal);
    await turn();
    const settled = blocked.settled();
    given.abort();
    await turn();
    expect(ended).toEqual(["2 failed", "0 failed"]);
    add();
    open();
    await settled;
    await turn();
    expect(ended.slice(2)).toEqual(["1 admitted", "3 admitted"]);
  });
});

test("records of many topics may wait for their serializers without a warning", async () => {
  const warnings: Error[] = [];
  const listener = (warning: Error) => warnings.push(warning);
  process.on("warning", listener);
  try {
    const { blocked } = setUp();
    const { source, delivery } = recordOf(1, { delivery: new Told() });
    for (let topic = 0; topic < 20; topic++) {
      blocked.addPending({ source: { ...source, topic: `t${topic}` }, delivery, position: 0 }, new Promise(() => {}));
    }
    await turn();
    await turn();
    expect(warnings).toEqual([]);
  } finally {
    process.removeListener("warning", listener);
  }
});
