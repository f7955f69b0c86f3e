import { Deadline, TimeoutError } from "@odradek/network";
import { KafkaError } from "@odradek/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../../network/test/manual-clock.ts";
import { BufferPool } from "../src/buffer-pool.ts";

/** A pool, a way to wait in it, and who was served so far. */
function setUp(totalBytes: number, pooledBytes: number) {
  const clock = new ManualClock();
  const pool = new BufferPool(totalBytes, pooledBytes, clock);
  const served: string[] = [];
  const wait = (name: string, bytes: number, timeoutMs = 1_000): Promise<Buffer> => {
    const buffer = pool.wait(bytes, new Deadline(clock, timeoutMs));
    buffer.then(
      () => served.push(name),
      (error: KafkaError) => served.push(`${name}: ${error.code}`),
    );
    return buffer;
  };
  return { clock, pool, served, wait };
}

/** Takes memory that must be there. */
function take(pool: BufferPool, bytes: number): Buffer {
  const buffer = pool.take(bytes);
  if (buffer === null) throw new Error(`${bytes} bytes are not available`);
  return buffer;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("who gives up", () => {
  test("leaves the line with the reason of the signal, and lets in who is behind", async () => {
    const { clock, pool, served, wait } = setUp(100, 10);
    const taken = take(pool, 60);
    const controller = new AbortController();
    const waiting = pool.wait(80, new Deadline(clock, 1_000), controller.signal);
    void wait("behind", 30);
    await turn();
    expect([served, pool.waiterCount]).toEqual([[], 2]);
    const reason = new Error("gave up");
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    expect(served).toEqual(["behind"]);
    pool.release(taken);
    expect([pool.waiterCount, pool.availableBytes, clock.timers]).toEqual([0, 70, 0]);
  });

  test("before the call gets nothing, and nothing that was given is taken back", async () => {
    const { clock, pool } = setUp(100, 10);
    const signal = AbortSignal.abort(new Error("gave up"));
    await expect(pool.wait(10, new Deadline(clock, 1_000), signal)).rejects.toThrow("gave up");
    const controller = new AbortController();
    const buffer = await pool.wait(10, new Deadline(clock, 1_000), controller.signal);
    controller.abort();
    expect([buffer.length, pool.availableBytes]).toEqual([10, 90]);
  });
});

describe("a buffer pool", () => {
  test("gives memory at once as long as there is some", () => {
    const { pool } = setUp(100, 10);
    expect(take(pool, 10)).toHaveLength(10);
    expect(take(pool, 64)).toHaveLength(64);
    expect(pool.availableBytes).toBe(26);
    expect(pool.take(27)).toBeNull();
    expect(pool.availableBytes).toBe(26);
  });

  test("uses buffers of the usual size again, and no others", () => {
    const { pool } = setUp(100, 10);
    const usual = take(pool, 10);
    const large = take(pool, 50);
    pool.release(usual);
    pool.release(large);
    expect(pool.availableBytes).toBe(100);
    expect(take(pool, 10)).toBe(usual);
    expect(take(pool, 50)).not.toBe(large);
  });

  test("breaks up free buffers of the usual size for a larger one", () => {
    const { pool } = setUp(30, 10);
    const buffers = [take(pool, 10), take(pool, 10), take(pool, 10)];
    for (const buffer of buffers) pool.release(buffer);
    expect(take(pool, 25)).toHaveLength(25);
    expect(pool.availableBytes).toBe(5);
  });

  test("serves who waits in the order of arrival", async () => {
    const { pool, served, wait } = setUp(20, 10);
    const first = take(pool, 10);
    const second = take(pool, 10);
    void wait("a", 10);
    void wait("b", 10);
    pool.release(first);
    await turn();
    expect(served).toEqual(["a"]);
    pool.release(second);
    await turn();
    expect(served).toEqual(["a", "b"]);
  });

  test("lets small requests not pass a large one, whose memory adds up", async () => {
    const { pool, served, wait } = setUp(30, 10);
    const buffers = [take(pool, 10), take(pool, 10), take(pool, 10)];
    void wait("large", 30);
    void wait("small", 10);
    pool.release(buffers[0]!);
    pool.release(buffers[1]!);
    await turn();
    expect(served).toEqual([]);
    expect(pool.take(10)).toBeNull();
    pool.release(buffers[2]!);
    await turn();
    expect(served).toEqual(["large"]);
  });

  test("serves several when enough comes back at once", async () => {
    const { pool, served, wait } = setUp(30, 10);
    const large = take(pool, 30);
    void wait("a", 10);
    void wait("b", 10);
    pool.release(large);
    await turn();
    expect(served).toEqual(["a", "b"]);
    expect(pool.waiterCount).toBe(0);
  });

  test("fails who waits too long, and serves those behind with what was kept back", async () => {
    const { clock, pool, served, wait } = setUp(20, 10);
    const held = take(pool, 10);
    const large = wait("large", 20, 100);
    void wait("small", 10, 500);
    clock.advance(99);
    await turn();
    expect(served).toEqual([]);
    clock.advance(1);
    await turn();
    expect(served).toEqual(["large: TIMEOUT", "small"]);
    await expect(large).rejects.toThrow(TimeoutError);
    await expect(large).rejects.toThrow(/20 bytes of bufferMemory \(20 bytes.*100 ms/);
    pool.release(held);
    expect(pool.availableBytes).toBe(10);
  });

  test("has its timer set only while somebody waits", async () => {
    const { clock, pool, wait } = setUp(10, 10);
    const held = take(pool, 10);
    const waiting = wait("a", 10);
    expect(clock.timers).toBe(1);
    pool.release(held);
    await waiting;
    expect(clock.timers).toBe(0);
  });

  test("refuses at once what it could never give", async () => {
    const { pool, wait } = setUp(20, 10);
    await expect(wait("huge", 21)).rejects.toThrow("21 bytes are more than bufferMemory (20 bytes) will ever have");
    expect(pool.waiterCount).toBe(0);
  });

  test("takes no buffer back twice, and none that is not its own", () => {
    const { pool } = setUp(20, 10);
    const buffer = take(pool, 10);
    pool.release(buffer);
    expect(() => pool.release(buffer)).toThrow("came back twice");
    expect(() => pool.release(Buffer.alloc(10))).toThrow("not taken");
    expect(pool.availableBytes).toBe(20);
  });

  test("lets nobody wait any more after it was aborted", async () => {
    const { clock, pool, wait } = setUp(10, 10);
    take(pool, 10);
    const waiting = wait("a", 10);
    pool.abort(new KafkaError("closed", { code: "CLOSED" }));
    await expect(waiting).rejects.toThrow("closed");
    expect([clock.timers, pool.waiterCount]).toEqual([0, 0]);
  });

  test("never lends more than it has, and has all of it when all came back", async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("take" as const), bytes: fc.integer({ min: 1, max: 40 }) }),
      fc.record({ kind: fc.constant("wait" as const), bytes: fc.integer({ min: 1, max: 40 }) }),
      fc.record({ kind: fc.constant("release" as const), index: fc.nat() }),
      fc.record({ kind: fc.constant("pass" as const), ms: fc.integer({ min: 1, max: 600 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { clock, pool, wait } = setUp(40, 10);
        const lent: Buffer[] = [];
        const waits: Promise<void>[] = [];
        const lend = (buffer: Buffer): void => {
          expect(lent).not.toContain(buffer);
          lent.push(buffer);
          const bytes = lent.reduce((sum, { length }) => sum + length, 0);
          expect(bytes).toBeLessThanOrEqual(40);
        };
        for (const s of steps) {
          if (s.kind === "take") {
            const buffer = pool.take(s.bytes);
            if (buffer !== null) lend(buffer);
          } else if (s.kind === "wait") {
            waits.push(wait("", s.bytes).then(lend, (error: unknown) => expect(error).toBeInstanceOf(TimeoutError)));
          } else if (s.kind === "release") {
            const [buffer] = lent.splice(s.index % Math.max(lent.length, 1), 1);
            if (buffer !== undefined) pool.release(buffer);
          } else {
            clock.advance(s.ms);
          }
          await Promise.resolve();
        }
        clock.advance(1_000);
        await Promise.all(waits);
        for (const buffer of lent) pool.release(buffer);
        expect(pool.availableBytes).toBe(40);
        expect(clock.timers).toBe(0);
      }),
    );
  });
});
