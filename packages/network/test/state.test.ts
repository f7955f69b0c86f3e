import { describe, expect, test } from "vitest";
import { State } from "../src/state.ts";

const door = () => new State("closed", { closed: ["open"], open: ["closed", "gone"], gone: [] });

describe("a state", () => {
  test("moves along its arrows", () => {
    const state = door();
    expect(state.now).toBe("closed");
    state.to("open");
    state.to("gone");
    expect(state.now).toBe("gone");
  });

  test("refuses any other move, and says which there are", () => {
    const state = door();
    expect(() => state.to("gone")).toThrow("illegal move from closed to gone; allowed: open");
    expect(state.now).toBe("closed");
  });

  test("refuses every move out of its end", () => {
    const state = door();
    state.to("open");
    state.to("gone");
    expect(() => state.to("closed")).toThrow("illegal move from gone to closed; allowed: none");
  });

  test("says whether it is one of several", () => {
    expect(door().is("open", "closed")).toBe(true);
    expect(door().is("open", "gone")).toBe(false);
  });
});
