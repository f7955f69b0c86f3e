import { Deadline } from "@odradek/network";
import { describe, expect, test } from "vitest";
import type { ConsumerOptions } from "../../src/consumer-options.ts";
import { ClassicDriver, ConsumerDriver, type MembershipDriver } from "./membership-drivers.ts";
import { committedAs, outcome, turn } from "./scripted-group.ts";

const maxPollIntervalMs = 60_000;

const protocols = [
  ["ClassicMembership", ClassicDriver],
  ["ConsumerMembership", ConsumerDriver],
] as const;

describe.each(protocols)("%s, as every membership", (_, Driver) => {
  /** A member that has a place and these partitions, whose listener was told nothing since. */
  async function driverOf(names: readonly string[], options: Partial<ConsumerOptions> = {}): Promise<MembershipDriver> {
    const driver = new Driver(options);
    await driver.join(...names);
    driver.member.told.length = 0;
    return driver;
  }

  const leave = ({ member }: MembershipDriver, isTold = true) =>
    outcome(member.membership.leave("bye", isTold, new Deadline(member.clock, 1_000)));

  const commit = ({ member }: MembershipDriver) => {
    const offsets = [{ topic: "orders", partition: 0, offset: 7n, leaderEpoch: null, metadata: "" }];
    return outcome(member.commits.commit(offsets, new Deadline(member.clock, 60_000), true));
  };

  test("asks for a place when the application polls, and not before", async () => {
    const { member } = new Driver();
    member.isPolling = false;
    await member.settle();
    expect(member.asked).toEqual([]);
    member.isPolling = true;
    await member.settle();
    expect([member.state, member.asked.length]).toEqual(["JOINING", 1]);
  });

  test("asks for no place where nothing is subscribed to", async () => {
    const { member } = new Driver();
    member.subscription.clear();
    await member.settle();
    expect([member.asked, member.membership.isHoldingBack]).toEqual([[], false]);
  });

  test("hands out nothing before it has a place, and everything that it is given then", async () => {
    const driver = new Driver();
    const { member } = driver;
    expect(member.membership.isHoldingBack).toBe(true);
    await driver.join("orders-0", "orders-2");
    expect([member.state, member.owned]).toEqual(["STABLE", ["orders-0", "orders-2"]]);
    expect(member.told).toEqual(["assigned orders-0 orders-2"]);
    expect([member.membership.isHoldingBack, member.membership.identity.generationId]).toEqual([false, 1]);
  });

  test("has to know of the topics that it subscribed to", async () => {
    const { member } = new Driver();
    member.subscribe(["orders", "refunds"]);
    expect([...member.membership.topics].sort()).toEqual(["orders", "refunds"]);
  });

  test("changes nothing hands, and tells nobody, before the application polls", async () => {
    const driver = await driverOf(["orders-0", "orders-1"]);
    const { member } = driver;
    member.work();
    await driver.announce("orders-1", "orders-2");
    expect([member.state, member.owned, member.told]).toEqual(["STABLE", ["orders-0", "orders-1"], []]);
    expect(member.membership.isHoldingBack).toBe(false);
  });

  test("tells what goes before what comes, and keeps the positions of what stays", async () => {
    const driver = await driverOf(["orders-0", "orders-1"]);
    const { member } = driver;
    member.readTo(7n);
    await driver.announce("orders-1", "orders-2");
    await driver.finish("orders-1", "orders-2");
    expect(member.told).toEqual(["revoked orders-0", "assigned orders-2"]);
    expect(member.owned).toEqual(["orders-1", "orders-2"]);
    expect([...member.assignment.partitions()].map(({ position }) => position?.offset ?? null)).toEqual([7n, null]);
  });

  test("hands out nothing while the listener works", async () => {
    const driver = await driverOf(["orders-0"]);
    const { member } = driver;
    const held: boolean[] = [];
    member.onCall = () => void held.push(member.membership.isHoldingBack);
    await driver.announce("orders-1");
    await driver.finish("orders-1");
    expect(held).toEqual([true, true]);
  });

  test("commits what is done with before it goes, and tells the listener afterwards", async () => {
    const driver = await driverOf(["orders-0"], { enableAutoCommit: true });
    const { member } = driver;
    member.readTo(42n);
    member.onCall = (call) => void member.told.push(`after ${member.asked.includes("OffsetCommit")} ${call}`);
    await driver.announce();
    if (!member.asked.includes("OffsetCommit")) await driver.finish();
    expect([member.told, member.membership.isHoldingBack]).toEqual([[], true]);
    member.takeCommit().onAnswer(committedAs({ "orders-0": "NONE" }));
    await member.settle();
    expect(member.told).toEqual([
      "revoked orders-0",
      "after false revoked orders-0",
      "assigned",
      "after false assigned",
    ]);
  });

  test("tells of a lost place with the next poll, hands out nothing before, and asks for another", async () => {
    const driver = await driverOf(["orders-0"]);
    const { member } = driver;
    member.work();
    await driver.refuse("UNKNOWN_MEMBER_ID");
    expect([member.owned, member.told, member.asked]).toEqual([["orders-0"], [], []]);
    expect([member.membership.isHoldingBack, member.membership.identity.generationId]).toEqual([true, -1]);
    await member.comeBack();
    expect([member.owned, member.told, member.state]).toEqual([[], ["lost orders-0"], "JOINING"]);
    expect(member.asked).toHaveLength(1);
  });

  test("leaves when the application did not poll for too long, and begins anew when it comes back", async () => {
    const driver = await driverOf(["orders-0"], { maxPollIntervalMs });
    const { member } = driver;
    member.work();
    await member.pass(maxPollIntervalMs);
    driver.takeFarewell();
    expect([member.told, member.owned, member.membership.isHoldingBack]).toEqual([[], ["orders-0"], true]);
    member.sent.length = 0;
    await member.comeBack();
    expect([member.told, member.owned, member.state]).toEqual([["lost orders-0"], [], "JOINING"]);
  });

  test("stays in its group as long as a poll waits", async () => {
    const driver = await driverOf(["orders-0"], { maxPollIntervalMs });
    await driver.member.pass(2 * maxPollIntervalMs);
    expect([driver.member.state, driver.member.owned]).toEqual(["STABLE", ["orders-0"]]);
  });

  test("keeps what it has where the connection is lost, and looks for the coordinator anew", async () => {
    const driver = await driverOf(["orders-0"]);
    const { member } = driver;
    await driver.disconnect();
    expect(member.asked).toEqual([]);
    await member.pass(member.options.retryBackoffMaxMs);
    expect([member.finder.looks, member.asked.length]).toEqual([1, 1]);
    expect([member.state, member.owned, member.told, member.thrown]).toEqual(["STABLE", ["orders-0"], [], []]);
  });

  test("throws once, in the poll, what it cannot mend, and tries again with the next poll", async () => {
    const driver = new Driver();
    const { member } = driver;
    await member.settle();
    await driver.refuseToJoin("GROUP_MAX_SIZE_REACHED");
    expect([member.thrown, member.asked]).toMatchObject([[{ code: "GROUP_MAX_SIZE_REACHED" }], []]);
    member.work();
    await member.comeBack();
    expect([member.thrown.length, member.asked.length]).toEqual([1, 1]);
  });

  test("throws what the listener throws in the poll, and goes on", async () => {
    const driver = await driverOf(["orders-0"]);
    const { member } = driver;
    member.onCall = (call) => {
      throw new Error(`no to ${call}`);
    };
    await driver.announce("orders-1");
    await driver.finish("orders-1");
    expect(member.told).toEqual(["revoked orders-0", "assigned orders-1"]);
    expect(member.thrown).toMatchObject([{ code: "LISTENER", cause: { message: "no to revoked orders-0" } }]);
    expect(member.owned).toEqual(["orders-1"]);
  });

  test("keeps nothing where the listener unsubscribed, and tells it of each partition once", async () => {
    const driver = await driverOf(["orders-0", "orders-1"]);
    const { member } = driver;
    member.onCall = async () => {
      member.onCall = () => {};
      await member.membership.giveUp();
      void leave(driver);
      member.subscription.clear();
    };
    await driver.announce("orders-1", "orders-2");
    if (member.told.length === 0) await driver.finish("orders-1", "orders-2");
    expect([member.told, member.owned]).toEqual([["revoked orders-0", "revoked orders-1"], []]);
    expect([member.thrown, member.membership.isHoldingBack]).toEqual([[], false]);
    driver.takeFarewell();
    expect(member.asked).toEqual([]);
  });

  test("gives everything up in order where it has a place", async () => {
    const { member } = await driverOf(["orders-0"]);
    await member.membership.giveUp();
    expect([member.told, member.owned]).toEqual([["revoked orders-0"], []]);
  });

  test("gives everything up as lost where it has no place any more", async () => {
    const driver = await driverOf(["orders-0"]);
    const { member } = driver;
    member.work();
    await driver.refuse("UNKNOWN_MEMBER_ID");
    await member.membership.giveUp();
    expect([member.told, member.owned]).toEqual([["lost orders-0"], []]);
  });

  test("has left when the coordinator has answered, and is nobody from the beginning", async () => {
    const driver = await driverOf(["orders-0"]);
    const { member } = driver;
    member.work();
    const leaving = leave(driver);
    expect(member.membership.identity.generationId).toBe(-1);
    member.look();
    const answer = driver.takeFarewell();
    await turn();
    expect(await Promise.race([leaving, Promise.resolve("waits")])).toBe("waits");
    answer();
    expect(await leaving).toBe("done");
    await member.pass(maxPollIntervalMs);
    expect(member.asked).toEqual([]);
  });

  test("says nothing where the coordinator is not to be told, and where it was never a member", async () => {
    const driver = await driverOf(["orders-0"]);
    const stranger = new Driver();
    for (const { member } of [driver, stranger]) member.isPolling = false;
    expect([await leave(driver, false), await leave(stranger)]).toEqual(["done", "done"]);
    for (const { member } of [driver, stranger]) member.look();
    expect([driver.member.asked, stranger.member.asked]).toEqual([[], []]);
  });

  test("takes no notice of an answer that comes after it left", async () => {
    const driver = new Driver();
    const { member } = driver;
    await member.settle();
    const answer = driver.takeJoin();
    member.isPolling = false;
    void leave(driver);
    answer();
    await member.settle();
    expect([member.owned, member.told, member.membership.identity.generationId]).toEqual([[], [], -1]);
  });

  test("commits as who it is", async () => {
    const driver = await driverOf(["orders-0"]);
    const { member } = driver;
    const committing = commit(driver);
    await member.settle();
    member.takeCommit().onAnswer(committedAs({ "orders-0": "NONE" }));
    expect(await committing).toBe("done");
    expect(member.membership.committer()).toBe(member.membership.identity);
  });

  test("commits nothing without a place", async () => {
    const driver = await driverOf(["orders-0"]);
    const { member } = driver;
    member.work();
    await driver.refuse("UNKNOWN_MEMBER_ID");
    const committing = commit(driver);
    await member.settle();
    expect([await committing, member.asked]).toEqual(["COMMIT_FAILED", []]);
  });

  test("keeps the name of a static member whatever happens to it", async () => {
    const driver = await driverOf(["orders-0"], { groupInstanceId: "host-1" });
    const { member } = driver;
    await driver.refuse("UNKNOWN_MEMBER_ID");
    expect(member.membership.identity.groupInstanceId).toBe("host-1");
    void leave(driver);
    expect(member.membership.identity.groupInstanceId).toBe("host-1");
  });
});
