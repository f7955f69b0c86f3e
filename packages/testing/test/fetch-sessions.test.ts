import { zeroUuid } from "@odradek/protocol";
import { expect, test } from "vitest";
import { ManualClock } from "../src/clock.ts";
import { FetchSessions } from "../src/fetching/fetch-sessions.ts";

const partitions = [
  {
    ...{ topic: "orders", topicId: zeroUuid, partition: 0, fetchOffset: 0n },
    ...{ maxBytes: 1, currentLeaderEpoch: -1, lastFetchedEpoch: -1 },
  },
];

function open(sessions: FetchSessions): number | null {
  const request = { sessionId: 0, sessionEpoch: 0, usesTopicIds: false, partitions, forgotten: [] };
  const plan = sessions.plan(request);
  return plan.error === null ? (plan.session?.id ?? null) : null;
}

const isKnown = (sessions: FetchSessions, sessionId: number, sessionEpoch: number): boolean =>
  sessions.plan({ sessionId, sessionEpoch, usesTopicIds: false, partitions: [], forgotten: [] }).error === null;

test("sessions of clients that are long gone make room, and no others do", () => {
  const clock = new ManualClock();
  const sessions = new FetchSessions(clock);
  const ids = Array.from({ length: 1_000 }, () => open(sessions) ?? -1);
  const [first = -1, second = -1] = ids;
  clock.advance(120_000);
  expect(open(sessions)).toBeNull();
  expect(isKnown(sessions, first, 1)).toBe(true);
  clock.advance(1);
  expect(open(sessions)).not.toBeNull();
  expect(isKnown(sessions, first, 2)).toBe(true);
  expect(isKnown(sessions, second, 1)).toBe(false);
});
