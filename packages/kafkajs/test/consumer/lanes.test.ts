import { expect, test } from "vitest";
import { Lanes } from "../../src/consumer/lanes.ts";

const run = (partition: number, name: string, bytes = 10) => ({ partition: { topic: "t", partition }, name, bytes });
const lanesOf = (...runs: ReturnType<typeof run>[]) => {
  const lanes = new Lanes<ReturnType<typeof run>>({ laneBytes: 20, allBytes: 100 });
  for (const one of runs) lanes.add(one);
  return lanes;
};
const at = (partition: number) => ({ topic: "t", partition });

test("give turns to the first of each partition, the longest waiting first", () => {
  const lanes = lanesOf(run(0, "a"), run(0, "b"), run(1, "c"));
  expect([lanes.next()?.name, lanes.next()?.name, lanes.next()]).toEqual(["a", "c", undefined]);
  expect(lanes.advance(at(0))?.name).toBe("b");
  expect(lanes.next()?.name).toBe("b");
  expect(lanes.advance(at(0))).toBeNull();
  expect(lanes.firsts.map(({ name }) => name)).toEqual(["c"]);
});

test("drop what is behind where the partition goes on elsewhere", () => {
  const lanes = lanesOf(run(0, "a"), run(0, "b"));
  lanes.next();
  lanes.clear(at(0));
  expect([lanes.of(at(0)), lanes.next()]).toEqual([[], undefined]);
});

test("let go of what has not had its turn, and of nothing else", () => {
  const [waiting, handled] = [run(0, "a"), run(1, "b")];
  const lanes = lanesOf(handled, waiting);
  lanes.next();
  expect([lanes.withdraw(handled), lanes.withdraw(waiting)]).toEqual([false, true]);
  expect(lanes.firsts).toEqual([handled]);
});

test("are full by what waits behind the first", () => {
  const lanes = lanesOf(run(0, "a"), run(0, "b"));
  expect(lanes.isFull(at(0))).toBe(false);
  lanes.add(run(0, "c"));
  expect([lanes.isFull(at(0)), lanes.isFull(at(1))]).toEqual([true, false]);
});

test("are full by the number of small ones too", () => {
  const lanes = lanesOf(...Array.from({ length: 101 }, (_, index) => run(0, String(index), 0)));
  expect(lanes.isFull(at(0))).toBe(true);
});

test("are all full from the limit of all on, until half of it is left", () => {
  const lanes = lanesOf(run(0, "a", 40), run(1, "b", 40));
  expect(lanes.isOverfull).toBe(false);
  lanes.add(run(2, "c", 20));
  expect([lanes.isOverfull, lanes.isFull(at(3))]).toEqual([true, true]);
  lanes.advance(at(0));
  expect([lanes.isOverfull, lanes.isFull(at(3))]).toEqual([true, true]);
  lanes.clear(at(1));
  expect([lanes.isOverfull, lanes.isFull(at(3))]).toEqual([false, false]);
});

test("give no turns once they are closed, and still know what is handled", () => {
  const lanes = lanesOf(run(0, "a"), run(1, "b"));
  lanes.next();
  lanes.close();
  expect([lanes.next(), lanes.firsts.length]).toEqual([undefined, 2]);
});
