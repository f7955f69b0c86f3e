import { DecodeError } from "@odradek/protocol";
import { Metadata } from "@odradek/protocol/messages/metadata";
import { describe, expect, test } from "vitest";
import { type InFlightRequest, InFlightRequests } from "../src/in-flight-requests.ts";

const requestOf = (correlationId: number, deadlineMs = 1_000): InFlightRequest => ({
  api: Metadata,
  version: 9,
  correlationId,
  sentAtMs: 0,
  deadlineMs,
  complete: () => 0,
  fail: () => {},
});

const inFlight = (...requests: readonly InFlightRequest[]): InFlightRequests => {
  const all = new InFlightRequests();
  for (const request of requests) all.add(request);
  return all;
};

describe("requests in flight", () => {
  test("are answered in the order in which they were sent", () => {
    const requests = inFlight(requestOf(7), requestOf(8));
    expect(requests.oldest(7).correlationId).toBe(7);
    requests.shift();
    expect(requests.oldest(8).correlationId).toBe(8);
    requests.shift();
    expect(requests.size).toBe(0);
  });

  test("refuse an answer to no request", () => {
    expect(() => inFlight().oldest(3)).toThrow(DecodeError);
    expect(() => inFlight().oldest(3)).toThrow("answer with correlation id 3 to no request");
  });

  test.each([6, 8, -1])("refuse an answer with the correlation id %i while 7 is the oldest", (id) => {
    const requests = inFlight(requestOf(7), requestOf(8));
    expect(() => requests.oldest(id)).toThrow(
      `correlation id ${id} where 7 (Metadata v9) is the oldest request without an answer`,
    );
    expect(requests.size).toBe(2);
  });

  test("run out of time by their own deadlines, whatever their order", () => {
    const requests = inFlight(requestOf(1, 500), requestOf(2, 200), requestOf(3, 900));
    expect(requests.nextDeadlineMs).toBe(200);
    expect(requests.expired(199)).toEqual([]);
    expect(requests.expired(500).map(({ correlationId }) => correlationId)).toEqual([1, 2]);
    expect(requests.size).toBe(3);
  });

  test("never run out of time where there are none", () => {
    expect(inFlight().nextDeadlineMs).toBe(Number.POSITIVE_INFINITY);
  });

  test("are all taken at once, oldest first", () => {
    const requests = inFlight(requestOf(1), requestOf(2));
    expect(requests.clear().map(({ correlationId }) => correlationId)).toEqual([1, 2]);
    expect(requests.size).toBe(0);
  });
});
