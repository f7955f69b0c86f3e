import { Deadline } from "@odradek/network";
import { UnsupportedVersionError } from "@odradek/protocol";
import { LeaveGroup } from "@odradek/protocol/messages/leave-group";
import { describe, expect, test } from "vitest";
import { ClassicRequests } from "../../src/group/classic-requests.ts";
import { Departures } from "../../src/group/departures.ts";
import type { OutgoingRequest } from "../../src/outgoing-request.ts";
import { bodyOf, left, outcome, scriptedCoordinator, taken, turn } from "./scripted-group.ts";

function fixture() {
  const { options, clock, coordinator, finder } = scriptedCoordinator();
  const requests = new ClassicRequests("billing", options);
  const departures = new Departures(coordinator, "main");
  const sent: OutgoingRequest[] = [];
  const look = () => departures.poll(clock.now(), sent);
  const ends: string[] = [];
  const leave = (memberId: string, timeoutMs = 1_000, groupInstanceId: string | null = null) => {
    const identity = { memberId, generationId: 4, groupInstanceId };
    const leaving = departures.add(new Deadline(clock, timeoutMs), (nodeId, end) =>
      requests.leave(nodeId, identity, "r".repeat(300), { onAnswer: end, onFailure: end }),
    );
    void leaving.then(() => ends.push(memberId));
    return outcome(leaving);
  };
  const take = () => taken(sent, LeaveGroup);
  return { clock, coordinator, finder, departures, sent, look, leave, take, ends };
}

describe("Departures", () => {
  test("tells the coordinator once, and is done when it has answered, whatever it says", async () => {
    const { leave, look, take, sent } = fixture();
    const leaving = leave("me");
    look();
    look();
    const request = take();
    expect(sent).toEqual([]);
    request.onAnswer(left("UNKNOWN_MEMBER_ID"));
    expect(await leaving).toBe("done");
    expect(look()).toBe(Number.POSITIVE_INFINITY);
  });

  test("says who goes in the shape of the version, and no more of the reason than brokers take", () => {
    const { leave, look, take } = fixture();
    void leave("me", 1_000, "host-1");
    look();
    const request = take();
    const reason = "r".repeat(255);
    expect(bodyOf(request, 3)).toEqual({
      groupId: "billing",
      memberId: "",
      members: [{ memberId: "me", groupInstanceId: "host-1", reason }],
    });
    expect(bodyOf(request, 2)).toEqual({ groupId: "billing", memberId: "me", members: [] });
    expect(request.options).toMatchObject({ purpose: "main", bounds: { oldest: 3 } });
  });

  test("is done where the coordinator cannot be told", async () => {
    const { leave, look, take } = fixture();
    const leaving = leave("me");
    look();
    take().onFailure(new UnsupportedVersionError("no common version"));
    expect(await leaving).toBe("done");
  });

  test("waits for the coordinator, and no longer than the deadline", async () => {
    const { leave, look, finder, sent, clock, ends } = fixture();
    finder.forget();
    finder.finds = null;
    void leave("me");
    expect(look()).toBe(clock.now() + 1_000);
    clock.advance(999);
    look();
    await turn();
    expect(ends).toEqual([]);
    clock.advance(1);
    look();
    await turn();
    expect([ends, sent]).toEqual([["me"], []]);
  });

  test("waits for the answer no longer than the deadline", async () => {
    const { leave, look, clock } = fixture();
    const leaving = leave("me");
    expect(look()).toBe(clock.now() + 1_000);
    clock.advance(1_000);
    look();
    expect(await leaving).toBe("done");
  });

  test("tells of each, and ends each with its own answer", async () => {
    const { leave, look, take, ends } = fixture();
    void leave("first");
    void leave("second");
    look();
    take();
    take().onAnswer(left());
    await turn();
    expect(ends).toEqual(["second"]);
  });

  test("is done where it must not be asked who the coordinator is", async () => {
    const { leave, look, finder } = fixture();
    finder.forget();
    finder.finds = new UnsupportedVersionError("no such coordinators");
    const leaving = leave("me");
    look();
    await turn();
    look();
    expect(await leaving).toBe("done");
  });
});
