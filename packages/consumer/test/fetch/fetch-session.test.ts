import { type BrokerErrorName, codeOf, zeroUuid } from "@odradek/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FetchSession, type FetchTarget, type SessionRequest } from "../../src/fetch/fetch-session.ts";
import { PartitionState } from "../../src/positions/partition-state.ts";
import { fetchAnswer } from "../answers.ts";

const ordersId = "AAAAAAAAAAAAAAAAAAAAAg";
const newOrdersId = "AAAAAAAAAAAAAAAAAAAAAw";

const states = [0, 1, 2, 3].map((partition) => new PartitionState({ topic: "orders", partition }));

const target = (partition: number, offset = 0, more: Partial<FetchTarget> = {}): FetchTarget => {
  const state = states[partition];
  if (state === undefined) throw new Error(`no partition ${partition}`);
  const position = { offset: BigInt(offset), leaderEpoch: -1 };
  return { topic: "orders", topicId: ordersId, partition, leaderEpoch: 5, maxBytes: 100, state, position, ...more };
};

const answer = (sessionId: number, error: BrokerErrorName = "NONE") => ({
  ...fetchAnswer("orders", []),
  sessionId,
  errorCode: codeOf(error),
});

/** `id/epoch named -forgotten ~replaced`, by the numbers of the partitions. */
const said = ({ sessionId, sessionEpoch, named, forgotten, replaced }: SessionRequest): string =>
  [
    `${sessionId}/${sessionEpoch}`,
    ...named.map(({ partition }) => `${partition}`),
    ...forgotten.map(({ partition }) => `-${partition}`),
    ...replaced.map(({ partition }) => `~${partition}`),
  ].join(" ");

/** A session that the broker has opened with partitions 0, 1 and 2. */
const opened = () => {
  const session = new FetchSession();
  session.answered(session.next([target(0), target(1), target(2)]), answer(42));
  return session;
};

describe("A fetch session", () => {
  test("begins with all there is", () => {
    const session = new FetchSession();
    const request = session.next([target(0), target(1)]);
    expect(said(request)).toBe("0/0 0 1");
    expect(session.answered(request, answer(42))).toBe(true);
  });

  test("goes on with what has changed, in order", () => {
    const session = opened();
    const same = session.next([target(0), target(1), target(2)]);
    expect(said(same)).toBe("42/1");
    expect([...same.targets.keys()]).toEqual(["orders-0", "orders-1", "orders-2"]);
    session.answered(same, answer(42));
    expect(said(session.next([target(0), target(1, 7), target(2)]))).toBe("42/2 1");
  });

  test.each([
    ["an offset", { position: { offset: 3n, leaderEpoch: -1 } }],
    ["a leader epoch", { leaderEpoch: 6 }],
    ["a limit", { maxBytes: 200 }],
  ])("names a partition with another one of these: %s", (_, more) => {
    expect(said(opened().next([target(0), target(1, 0, more), target(2)]))).toBe("42/1 1");
  });

  test("has the broker forget what is not asked for, and names it again when it is", () => {
    const session = opened();
    const without = session.next([target(0), target(3)]);
    expect(said(without)).toBe("42/1 3 -1 -2");
    session.answered(without, answer(42));
    expect(said(session.next([target(0), target(1), target(3)]))).toBe("42/2 1");
  });

  test("begins anew where a partition was given up and taken again, which has yet to be told where its log ends", () => {
    const again = new PartitionState({ topic: "orders", partition: 1 });
    const session = opened();
    const anew = session.next([target(0), target(1, 0, { state: again }), target(2)]);
    expect(said(anew)).toBe("42/0 0 1 2");
    session.answered(anew, answer(43));
    expect(said(session.next([target(0), target(1, 0, { state: again }), target(2)]))).toBe("43/1");
  });

  test("replaces a topic that was made anew", () => {
    const anew = target(1, 0, { topicId: newOrdersId });
    expect(said(opened().next([target(0), anew, target(2)]))).toBe("42/1 1 ~1");
  });

  test("goes on where a topic comes back with another id after it was forgotten", () => {
    const session = opened();
    const without = session.next([target(0)]);
    session.answered(without, answer(42));
    expect(said(session.next([target(0), target(1, 0, { topicId: newOrdersId })]))).toBe("42/2 1");
  });

  test("begins anew where topics get ids, or lose them", () => {
    const session = opened();
    const named = session.next([target(0), target(1, 0, { topicId: zeroUuid })]);
    expect(said(named)).toBe("42/0 0 1");
    expect(named.usesTopicIds).toBe(false);
    session.answered(named, answer(43));
    expect(said(session.next([target(0)]))).toBe("43/0 0");
  });

  test("is none where the broker does not keep it", () => {
    const session = new FetchSession();
    session.answered(session.next([target(0)]), answer(0));
    expect(said(session.next([target(0)]))).toBe("0/0 0");
  });

  test.each([0, 41])("is over where the broker answers with another one, %i", (sessionId) => {
    const session = opened();
    expect(session.answered(session.next([target(0)]), answer(sessionId))).toBe(true);
    expect(said(session.next([target(0)]))).toBe("0/0 0");
  });

  test("begins without an old one where the broker does not know it any more", () => {
    const session = opened();
    expect(session.answered(session.next([target(0)]), answer(0, "FETCH_SESSION_ID_NOT_FOUND"))).toBe(false);
    expect(said(session.next([target(0)]))).toBe("0/0 0");
  });

  test.each(["INVALID_FETCH_SESSION_EPOCH", "FETCH_SESSION_TOPIC_ID_ERROR", "UNKNOWN_SERVER_ERROR"] as const)(
    "ends the old one with the new one after %s",
    (error) => {
      const session = opened();
      expect(session.answered(session.next([target(0)]), answer(0, error))).toBe(false);
      expect(said(session.next([target(0)]))).toBe("42/0 0");
    },
  );

  test("is not what is wrong where it only begins", () => {
    const session = new FetchSession();
    expect(session.answered(session.next([target(0)]), answer(0, "INVALID_FETCH_SESSION_EPOCH"))).toBe(true);
  });

  test("ends the old one with the new one where no answer came", () => {
    const session = opened();
    session.next([target(0)]);
    session.failed();
    expect(said(session.next([target(0)]))).toBe("42/0 0");
  });

  test("has said nothing where a quota held back the answer to its beginning", () => {
    const session = new FetchSession();
    const held = { ...answer(0), responses: [], throttleTimeMs: 100 };
    expect(session.answered(session.next([target(0)]), held)).toBe(false);
    expect(said(session.next([target(0)]))).toBe("0/0 0");
    expect(session.answered(session.next([target(0)]), { ...held, throttleTimeMs: 0 })).toBe(true);
  });

  test("goes on where a quota held back an answer within it", () => {
    const session = opened();
    expect(session.answered(session.next([target(0)]), { ...answer(42), responses: [], throttleTimeMs: 100 })).toBe(
      true,
    );
    expect(said(session.next([target(0)]))).toBe("42/2");
  });

  test("counts from 1 again after the last epoch", () => {
    const session = opened();
    const last = { ...session.next([target(0)]), sessionEpoch: 0x7fff_ffff };
    session.answered(last, answer(42));
    expect(said(session.next([target(0)]))).toBe("42/1");
  });
});

/** What a broker keeps of sessions, and how it answers. */
class ModelBroker {
  #sessionId = 0;
  #epoch = 0;
  #sessions = 0;
  #told = new Map<string, string>();

  /** What it looks at for the last request, as `offset in topic`. */
  get told(): Record<string, string> {
    return Object.fromEntries([...this.#told].map(([key, text]) => [key.split(" ")[1] ?? "", text]));
  }

  forgetSession(): void {
    this.#sessionId = 0;
  }

  take(request: SessionRequest) {
    const { sessionId, sessionEpoch, named, forgotten, replaced } = request;
    if (sessionEpoch === 0) {
      this.#told.clear();
      this.#sessions += 1;
      this.#sessionId = this.#sessions;
      this.#epoch = 0;
    } else if (sessionId !== this.#sessionId) return answer(0, "FETCH_SESSION_ID_NOT_FOUND");
    else if (sessionEpoch !== this.#epoch) return answer(0, "INVALID_FETCH_SESSION_EPOCH");
    for (const each of named) this.#told.set(`${each.topicId} ${each.state.key}`, textOf(each));
    for (const { topicId, state } of [...forgotten, ...replaced]) this.#told.delete(`${topicId} ${state.key}`);
    this.#epoch += 1;
    return answer(this.#sessionId);
  }
}

const textOf = ({ position, leaderEpoch, topicId }: FetchTarget) => `${position.offset}@${leaderEpoch} in ${topicId}`;

test("a fetch session never means other partitions than the broker, whatever is lost on the way", () => {
  const partition = fc.record({
    isWanted: fc.boolean(),
    offset: fc.integer({ min: 0, max: 2 }),
    leaderEpoch: fc.integer({ min: 5, max: 6 }),
    topicId: fc.constantFrom(ordersId, newOrdersId),
  });
  const step = fc.record({
    partitions: fc.tuple(partition, partition, partition, partition),
    fate: fc.constantFrom("answered", "answered", "answered", "request lost", "answer lost", "session lost"),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const [session, broker] = [new FetchSession(), new ModelBroker()];
      let refusals = 0;
      for (const { partitions, fate } of steps) {
        const wanted = partitions.flatMap(({ isWanted, offset, ...more }, number) =>
          isWanted ? target(number, offset, more) : [],
        );
        if (wanted.length === 0) continue;
        if (fate === "session lost") broker.forgetSession();
        const request = session.next(wanted);
        const said = fate === "request lost" ? null : broker.take(request);
        if (said === null || fate === "answer lost") session.failed();
        else session.answered(request, said);
        refusals = said === null || said.errorCode === 0 ? 0 : refusals + 1;
        // One for a session that was lost, which the next request does without.
        expect(refusals).toBeLessThan(2);
        if (said?.errorCode !== 0) continue;
        expect(broker.told).toEqual(Object.fromEntries(wanted.map((each) => [each.state.key, textOf(each)])));
      }
    }),
  );
});
