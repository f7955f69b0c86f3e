import { describe, expect, test } from "vitest";
import { reasonOf } from "../src/socket.ts";

describe("the reason of a socket's error", () => {
  test("is what it says", () => {
    expect(reasonOf(new Error("connect ECONNREFUSED 127.0.0.1:9092"))).toBe("connect ECONNREFUSED 127.0.0.1:9092");
  });

  test("is what its parts say where every address of a name failed: Node leaves the whole without words", () => {
    const parts = [new Error("connect ECONNREFUSED ::1:9092"), new Error("connect ECONNREFUSED 127.0.0.1:9092")];
    expect(reasonOf(new AggregateError(parts))).toBe(
      "connect ECONNREFUSED ::1:9092; connect ECONNREFUSED 127.0.0.1:9092",
    );
  });
});
