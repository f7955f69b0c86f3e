import { codeOf } from "@odradek/protocol";
import { ListOffsets } from "@odradek/protocol/messages/list-offsets";
import { expect, test } from "vitest";
import { partitionAnswer, topicAnswer } from "../../../network/test/metadata-answers.ts";
import { scriptedAdmin } from "../scripted-admin.ts";

const queries = [0, 1].map((partition) => ({ topic: "t", partition, spec: "latest" }) as const);

/** Two partitions, the second of which moves from broker 2 to broker 3 when it is told to. */
async function setUp() {
  const asked: [number, number[]][] = [];
  let second = 2;
  const { admin, cluster } = await scriptedAdmin({
    metadata: (self) =>
      self.answer({ topics: [topicAnswer("t", [partitionAnswer(0, 1), partitionAnswer(1, second)])] }),
    serve(connection, request, broker) {
      const [topic] = request.body(ListOffsets).topics;
      const wanted = topic?.partitions.map(({ partitionIndex }) => partitionIndex) ?? [];
      asked.push([broker, wanted]);
      const partitions = wanted.map((partitionIndex) => {
        const isLeader = broker === [1, second][partitionIndex];
        return { partitionIndex, errorCode: isLeader ? 0 : codeOf("NOT_LEADER_OR_FOLLOWER"), offset: BigInt(broker) };
      });
      connection.answer(request, ListOffsets, { topics: [{ name: "t", partitions }] });
    },
  });
  const offsets = async () => (await admin.listOffsets(queries)).orThrow().map(({ offset }) => offset);
  /** How often somebody asked who leads it. */
  const lookups = () => cluster.questions.filter((topics) => topics.includes("t")).length;
  const move = () => {
    second = 3;
  };
  return { asked, offsets, lookups, move };
}

test("who leads is asked for once, and again for those alone who do not lead any more", async () => {
  const { asked, offsets, lookups, move } = await setUp();
  expect(await offsets()).toEqual([1n, 2n]);
  expect(await offsets()).toEqual([1n, 2n]);
  expect(lookups()).toBe(1);
  move();
  asked.splice(0);
  expect(await offsets()).toEqual([1n, 3n]);
  expect(lookups()).toBe(2);
  expect(asked.sort()).toEqual([
    [1, [0]],
    [2, [1]],
    [3, [1]],
  ]);
});
