import { expect, test } from "vitest";
import { CompressionRatio } from "../src/compression-ratio.ts";

test("the estimate begins without any hope, and falls slowly", () => {
  const ratio = new CompressionRatio();
  expect(ratio.estimate).toBe(1);
  ratio.observe(0.3);
  expect(ratio.estimate).toBeCloseTo(0.995);
  for (let batch = 0; batch < 1_000; batch++) ratio.observe(0.3);
  expect(ratio.estimate).toBe(0.3);
});

test("the estimate rises fast after batches that compress worse", () => {
  const ratio = new CompressionRatio();
  for (let batch = 0; batch < 1_000; batch++) ratio.observe(0.3);
  ratio.observe(0.31);
  expect(ratio.estimate).toBeCloseTo(0.35);
  ratio.observe(0.9);
  expect(ratio.estimate).toBe(0.9);
});
