import { expect, test } from "vitest";
import { Seeks } from "../../src/consumer/seeks.ts";

const place = { topic: "t", partition: 0 };

function setUp() {
  const done: unknown[] = [];
  const consumer = {
    seek: (_: unknown, offset: unknown) => done.push(offset),
    seekToBeginning: () => done.push("beginning"),
    seekToEnd: () => done.push("end"),
  };
  return { done, seeks: new Seeks(consumer, () => done.push("poll ends")) };
}

test("are applied once, the last that was wanted, and carried out between polls", () => {
  const { seeks, done } = setUp();
  seeks.want(place, 4n);
  seeks.want(place, "end");
  expect([seeks.isWanted(place), seeks.isMoving(place), done]).toEqual([true, false, []]);
  expect([seeks.apply(place), seeks.apply(place), seeks.isWanted(place)]).toEqual(["end", null, false]);
  expect([seeks.isMoving(place), done]).toEqual([true, ["poll ends"]]);
  seeks.carryOut();
  expect([seeks.isMoving(place), done]).toEqual([false, ["poll ends", "end"]]);
});

test("are carried out once each, the last of each partition", () => {
  const { seeks, done } = setUp();
  seeks.move(place, 3n);
  seeks.move(place, "beginning");
  seeks.move({ topic: "t", partition: 1 }, 7n);
  seeks.carryOut();
  seeks.carryOut();
  expect(done.filter((what) => what !== "poll ends")).toEqual(["beginning", 7n]);
});

test("are void with the partition", () => {
  const { seeks, done } = setUp();
  seeks.move(place, 3n);
  seeks.forget([place]);
  seeks.carryOut();
  expect(done).toEqual(["poll ends"]);
});
