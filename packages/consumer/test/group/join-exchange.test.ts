import { ConnectionError } from "@odradek/network";
import { JoinGroup } from "@odradek/protocol/messages/join-group";
import { SyncGroup } from "@odradek/protocol/messages/sync-group";
import { describe, expect, test } from "vitest";
import { ClassicRequests, type OfferedProtocol } from "../../src/group/classic-requests.ts";
import { JoinExchange } from "../../src/group/join-exchange.ts";
import { type MemberIdentity, outsider } from "../../src/group/member-identity.ts";
import type { OutgoingRequest } from "../../src/outgoing-request.ts";
import {
  bodyOf,
  joined,
  joinedAsLeader,
  named,
  namesOf,
  scriptedCoordinator,
  subscribed,
  synced,
  taken,
  texts,
  turn,
} from "./scripted-group.ts";

/** An exchange of a member that offers `range`, and all that it says, in order. */
function fixture() {
  const { options, clock, cluster, coordinator, finder, metrics, values } = scriptedCoordinator();
  const said: string[] = [];
  const errors: unknown[] = [];
  const offers = { now: (): readonly OfferedProtocol[] => [{ name: "range", metadata: subscribed() }] };
  const exchange = new JoinExchange({
    options,
    requests: new ClassicRequests("billing", options),
    coordinator,
    cluster,
    clock,
    metrics,
    offered: () => offers.now(),
    onIdentity: ({ memberId, generationId }: MemberIdentity) => said.push(`is ${memberId || "nobody"} ${generationId}`),
    onAssigned: ({ given: { partitions } }) => said.push(["has", ...texts(partitions)].join(" ")),
    onError: (error) => {
      errors.push(error);
      said.push("failed");
    },
    onTopics: () => said.push("topics"),
  });
  const sent: OutgoingRequest[] = [];
  const look = () => exchange.poll(clock.now(), sent);
  /** Begins, and has the coordinator answer the JoinGroup. */
  const join = (answer = joined()) => {
    exchange.begin(outsider(null), "test");
    look();
    taken(sent, JoinGroup).onAnswer(answer);
    look();
  };
  return { options, clock, cluster, coordinator, finder, exchange, said, errors, offers, sent, look, join, values };
}

describe("JoinExchange", () => {
  test("asks nothing until it begins", () => {
    const { look, sent, exchange } = fixture();
    expect([look(), sent, exchange.isIdle]).toEqual([Number.POSITIVE_INFINITY, [], true]);
  });

  test("joins, asks for what is its own, and is over", () => {
    const { exchange, look, sent, said } = fixture();
    exchange.begin(outsider(null), "because");
    look();
    look();
    expect(namesOf(sent)).toEqual(["JoinGroup"]);
    expect(exchange.isJoining).toBe(true);
    const join = taken(sent, JoinGroup);
    expect(bodyOf(join)).toMatchObject({ memberId: "", reason: "because", protocols: [{ name: "range" }] });
    join.onAnswer(joined({ memberId: "me", generationId: 4 }));
    look();
    look();
    expect([namesOf(sent), exchange.isJoining, exchange.isIdle]).toEqual([["SyncGroup"], false, false]);
    const sync = taken(sent, SyncGroup);
    expect(bodyOf(sync)).toEqual({
      groupId: "billing",
      generationId: 4,
      memberId: "me",
      groupInstanceId: null,
      protocolType: "consumer",
      protocolName: "range",
      assignments: [],
    });
    sync.onAnswer(synced(named("orders-1")));
    expect([said, exchange.isIdle]).toEqual([["is me 4", "has orders-1"], true]);
  });

  test("lets the connection for committed offsets be made while it waits", () => {
    const { exchange, look, cluster } = fixture();
    exchange.begin(outsider(null), "test");
    look();
    expect(cluster.readied).toEqual(["1 coordinator", "1 main"]);
  });

  test("is told nothing of what it is not made the leader of", () => {
    const { join, exchange, said } = fixture();
    join(joined({ leader: "other" }));
    expect([exchange.leader, said]).toEqual([null, ["is me 1"]]);
  });

  test("has topics to be known of as the leader", () => {
    const { join, exchange, said } = fixture();
    join(joinedAsLeader([{ memberId: "me", topics: ["orders"] }]));
    expect([...(exchange.leader?.topics ?? [])]).toEqual(["orders"]);
    expect(said).toEqual(["is me 1", "topics"]);
  });

  test("has no assignment where the leader gave it none", () => {
    const { join, sent, said } = fixture();
    join();
    taken(sent, SyncGroup).onAnswer(synced([], { assignment: Buffer.alloc(0) }));
    expect(said).toEqual(["is me 1", "has"]);
  });

  test("takes answers of brokers that do not say yet what kind of group it is", () => {
    const { join, sent, said } = fixture();
    join(joined({ protocolType: null }));
    taken(sent, SyncGroup).onAnswer(synced(named("orders-0"), { protocolType: null, protocolName: null }));
    expect(said).toEqual(["is me 1", "has orders-0"]);
  });

  test("fails where the group is none of consumers", () => {
    const { join, errors, exchange } = fixture();
    join(joined({ protocolType: "connect" }));
    expect(errors).toMatchObject([{ code: "INCONSISTENT_GROUP_PROTOCOL" }]);
    expect(exchange.isIdle).toBe(true);
  });

  test.each([{ protocolName: "sticky" }, { protocolType: "connect" }])(
    "fails where the assignment is of another: %j",
    (wrong) => {
      const { join, sent, errors, said } = fixture();
      join();
      taken(sent, SyncGroup).onAnswer(synced(named("orders-0"), wrong));
      expect(errors).toMatchObject([{ code: "INCONSISTENT_GROUP_PROTOCOL" }]);
      expect(said).toEqual(["is me 1", "failed"]);
    },
  );

  test("fails where the assignment means nothing", () => {
    const { join, sent, errors } = fixture();
    join();
    taken(sent, SyncGroup).onAnswer(synced([], { assignment: Buffer.from([0, 1, 9]) }));
    expect(errors).toMatchObject([{ code: "DECODE" }]);
  });

  test("fails where a member says of itself what means nothing", () => {
    const { join, errors } = fixture();
    join(joined({ leader: "me", members: [{ memberId: "me", groupInstanceId: null, metadata: Buffer.from([9]) }] }));
    expect(errors).toMatchObject([{ code: "DECODE" }]);
  });

  test("fails where an assignor throws as it is asked what to say, and can begin anew", () => {
    const { exchange, offers, look, sent, errors } = fixture();
    const { now } = offers;
    offers.now = () => {
      throw new Error("moody");
    };
    exchange.begin(outsider(null), "test");
    look();
    expect([errors, sent, exchange.isIdle]).toMatchObject([[{ message: "moody" }], [], true]);
    offers.now = now;
    exchange.begin(outsider(null), "test");
    look();
    expect(namesOf(sent)).toEqual(["JoinGroup"]);
  });

  test("takes no notice of what comes after it was stopped", () => {
    const { exchange, look, sent, said, join } = fixture();
    exchange.begin(outsider(null), "test");
    look();
    const old = taken(sent, JoinGroup);
    exchange.stop();
    old.onAnswer(joined());
    expect([said, look()]).toEqual([[], Number.POSITIVE_INFINITY]);
    join();
    const sync = taken(sent, SyncGroup);
    exchange.stop();
    sync.onAnswer(synced(named("orders-0")));
    sync.onFailure(new Error("late"));
    expect(said).toEqual(["is me 1"]);
  });

  test("waits longer each time in a row that it is turned away, and anew once it has joined", () => {
    const { exchange, look, sent, clock, options } = fixture();
    exchange.begin(outsider(null), "test");
    const waits: number[] = [];
    const refuse = () => {
      taken(sent, JoinGroup).onAnswer(joined({ error: "COORDINATOR_LOAD_IN_PROGRESS" }));
      waits.push(look() - clock.now());
      clock.advance(waits.at(-1) ?? 0);
      look();
    };
    look();
    for (let refusals = 0; refusals < 4; refusals++) refuse();
    expect(waits[3]).toBeGreaterThan((waits[0] ?? 0) * 4);
    taken(sent, JoinGroup).onAnswer(joined());
    look();
    taken(sent, SyncGroup).onAnswer(synced([], { error: "REBALANCE_IN_PROGRESS" }));
    look();
    refuse();
    expect(waits[4]).toBeLessThanOrEqual(options.retryBackoffMs * 1.2);
  });

  test("looks for the coordinator before it tries again, where that was lost", async () => {
    const { exchange, look, sent, clock, options, finder } = fixture();
    exchange.begin(outsider(null), "test");
    look();
    taken(sent, JoinGroup).onFailure(new ConnectionError({ host: "127.0.0.1", port: 9092 }, "closed"));
    clock.advance(options.retryBackoffMs * 1.2);
    look();
    expect([sent, finder.looks]).toEqual([[], 1]);
    await turn();
    look();
    expect(namesOf(sent)).toEqual(["JoinGroup"]);
  });
});
