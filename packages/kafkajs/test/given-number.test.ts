import { expect, test } from "vitest";
import { givenNumber, givenWholeNumber, longestMs } from "../src/given-number.ts";

test.each([undefined, null, "", Number.NaN, "soon", {}])("%s is not a number that was given", (given) => {
  expect([givenNumber(given, 7), givenWholeNumber(given, 7)]).toEqual([7, 7]);
});

test.each([
  ["3000", 3_000],
  [" 3000 ", 3_000],
  [1.5, 1.5],
  [0, 0],
  [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
])("%j is %d", (given, number) => {
  expect(givenNumber(given, 7)).toBe(number);
});

test("a whole number lies in its range", () => {
  const range = { least: 1, most: 10 };
  const given = [-1, 0, "0.5", 1.2, 10, "11", Number.POSITIVE_INFINITY];
  expect(given.map((number) => givenWholeNumber(number, 7, range))).toEqual([1, 1, 1, 2, 10, 10, 10]);
  expect([-1, 2 ** 31].map((number) => givenWholeNumber(number, 7))).toEqual([0, longestMs]);
});
