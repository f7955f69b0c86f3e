import { ConnectionError } from "@odradek/network";
import type { BrokerErrorName } from "@odradek/protocol";
import { Heartbeat } from "@odradek/protocol/messages/heartbeat";
import { describe, expect, test } from "vitest";
import { RecordingLogger } from "../../../network/test/recording-logger.ts";
import { ClassicRequests } from "../../src/group/classic-requests.ts";
import { Heartbeats } from "../../src/group/heartbeats.ts";
import type { MemberIdentity } from "../../src/group/member-identity.ts";
import type { OutgoingRequest } from "../../src/outgoing-request.ts";
import { beat, bodyOf, groupOptions, scriptedCoordinator, taken, turn } from "./scripted-group.ts";

const me: MemberIdentity = { memberId: "me", generationId: 4, groupInstanceId: null };

/** A member that was heard of just now: it beats every second, and its session is ten. */
function fixture() {
  const given = groupOptions({ heartbeatIntervalMs: 1_000, sessionTimeoutMs: 10_000 });
  const { options, clock, coordinator, finder, metrics } = scriptedCoordinator(given);
  const logger = new RecordingLogger();
  const refused: string[] = [];
  const told: string[] = [];
  const heartbeats = new Heartbeats({
    options,
    requests: new ClassicRequests("billing", options),
    coordinator,
    clock,
    logger,
    metrics,
    diagnostics: { heartbeatTaken: ({ memberId }) => told.push(memberId) },
    onRefused: (error, verdict, { generationId }) => refused.push(`${error.code} ${verdict} ${generationId}`),
  });
  const sent: OutgoingRequest[] = [];
  /** @returns in how many milliseconds it wants to be asked again */
  const look = (identity = me) => heartbeats.poll(clock.now(), identity, sent) - clock.now();
  const take = () => taken(sent, Heartbeat);
  heartbeats.restart();
  return { options, clock, coordinator, finder, logger, refused, told, heartbeats, sent, look, take };
}

describe("Heartbeats", () => {
  test("beats at the interval, counted from the last one, one at a time", () => {
    const { look, clock, sent, take } = fixture();
    expect([look(), sent.length]).toEqual([1_000, 0]);
    clock.advance(1_000);
    look();
    const first = take();
    expect(bodyOf(first)).toEqual({ groupId: "billing", generationId: 4, memberId: "me", groupInstanceId: null });
    expect(first.options).toEqual({ purpose: "coordinator", bounds: {} });
    clock.advance(1_500);
    look();
    expect(sent).toEqual([]);
    first.onAnswer(beat());
    look();
    expect(sent).toHaveLength(1);
  });

  test("is told of once the coordinator has taken it, and not where that refuses it", () => {
    const { look, clock, take, told } = fixture();
    clock.advance(1_000);
    look();
    expect(told).toEqual([]);
    take().onAnswer(beat());
    expect(told).toEqual(["me"]);
    clock.advance(1_000);
    look();
    take().onAnswer(beat("REBALANCE_IN_PROGRESS"));
    expect(told).toEqual(["me"]);
  });

  test("says when the next one is due", () => {
    const { look, clock, take } = fixture();
    clock.advance(1_000);
    look();
    clock.advance(300);
    take().onAnswer(beat());
    expect(look()).toBe(700);
  });

  test("takes whoever the member is when it is due", () => {
    const { look, clock, take } = fixture();
    clock.advance(1_000);
    look({ ...me, generationId: 5 });
    expect(bodyOf(take()).generationId).toBe(5);
  });

  test("begins anew when the coordinator has heard of the member, and takes no notice of older answers", () => {
    const { look, clock, take, heartbeats, refused, sent } = fixture();
    clock.advance(1_000);
    look();
    const old = take();
    heartbeats.restart();
    old.onAnswer(beat("UNKNOWN_MEMBER_ID"));
    expect([refused, look(), sent.length]).toEqual([[], 1_000, 0]);
  });

  test.each<[BrokerErrorName, string]>([
    ["REBALANCE_IN_PROGRESS", "rejoin"],
    ["ILLEGAL_GENERATION", "displaced"],
    ["UNKNOWN_MEMBER_ID", "forgotten"],
    ["FENCED_INSTANCE_ID", "fenced"],
    ["GROUP_AUTHORIZATION_FAILED", "fatal"],
  ])("tells %s, and as whom it was sent", (error, verdict) => {
    const { look, clock, take, refused } = fixture();
    clock.advance(1_000);
    look();
    take().onAnswer(beat(error));
    expect(refused).toEqual([`${error} ${verdict} 4`]);
  });

  test("takes the call to a rebalance for a sign that the coordinator knows the member", () => {
    const { look, clock, take, logger } = fixture();
    clock.advance(9_000);
    look();
    take().onAnswer(beat("REBALANCE_IN_PROGRESS"));
    clock.advance(9_999);
    look();
    expect(logger.lines).toEqual([]);
  });

  test("beats again after the back-off where the coordinator is not ready yet, without asking for another", () => {
    const { look, clock, take, sent, options, finder } = fixture();
    clock.advance(1_000);
    look();
    take().onAnswer(beat("COORDINATOR_LOAD_IN_PROGRESS"));
    const waitMs = look();
    expect(sent).toEqual([]);
    expect(waitMs).toBeLessThanOrEqual(options.retryBackoffMs * 1.2);
    clock.advance(waitMs);
    look();
    expect([sent.length, finder.known()]).toEqual([1, 1]);
  });

  test.each<BrokerErrorName>(["NOT_COORDINATOR", "COORDINATOR_NOT_AVAILABLE"])(
    "beats again once the coordinator is found, after %s",
    async (error) => {
      const { look, clock, take, sent, options, finder } = fixture();
      clock.advance(1_000);
      look();
      take().onAnswer(beat(error));
      expect(finder.known()).toBeNull();
      clock.advance(options.retryBackoffMs * 1.2);
      look();
      await turn();
      look();
      expect([sent.length, finder.looks]).toEqual([1, 1]);
    },
  );

  test("waits longer each time in a row in vain, and never longer than the interval", () => {
    const { look, clock, take, options } = fixture();
    const waits: number[] = [];
    clock.advance(1_000);
    for (let attempts = 0; attempts < 4; attempts++) {
      look();
      take().onAnswer(beat("COORDINATOR_LOAD_IN_PROGRESS"));
      waits.push(look());
      clock.advance(waits.at(-1) ?? 0);
    }
    expect(waits[1]).toBeGreaterThan(options.retryBackoffMs * 1.2);
    expect(waits[2]).toBeGreaterThan(waits[1] ?? 0);
    expect(Math.max(...waits)).toBeLessThanOrEqual(1_000);
  });

  test("looks for the coordinator anew when none has answered for a whole session, and says so once", async () => {
    const { look, clock, take, sent, finder, logger, refused, options } = fixture();
    clock.advance(1_000);
    expect(look()).toBe(9_000);
    const old = take();
    clock.advance(9_000);
    look();
    expect([finder.known(), logger.count("no heartbeat was answered")]).toEqual([null, 1]);
    clock.advance(options.retryBackoffMs * 1.2);
    look();
    await turn();
    look();
    expect(sent).toHaveLength(1);
    old.onAnswer(beat("UNKNOWN_MEMBER_ID"));
    expect(refused).toEqual([]);
    take().onAnswer(beat());
    clock.advance(9_999);
    look();
    expect(logger.lines).toHaveLength(1);
  });

  test("looks for the coordinator anew where the connection is lost", () => {
    const { look, clock, take, finder } = fixture();
    clock.advance(1_000);
    look();
    take().onFailure(new ConnectionError({ host: "127.0.0.1", port: 9092 }, "closed"));
    expect(finder.known()).toBeNull();
  });
});
