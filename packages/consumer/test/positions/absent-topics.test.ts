import { type BrokerErrorName, codeOf } from "@odradek/protocol";
import { expect, test } from "vitest";
import { topicAnswer } from "../../../network/test/metadata-answers.ts";
import { RecordingLogger } from "../../../network/test/recording-logger.ts";
import { AbsentTopics } from "../../src/positions/absent-topics.ts";
import { TestCluster, topicLedBy } from "../test-cluster.ts";

const absent = (name: string, error: BrokerErrorName = "UNKNOWN_TOPIC_OR_PARTITION") =>
  topicAnswer(name, [], { errorCode: codeOf(error) });

function fixture() {
  const cluster = new TestCluster();
  cluster.metadata.retain(["orders", "refunds"]);
  const logger = new RecordingLogger();
  const topics = new AbsentTopics(cluster, logger, () => ["orders"]);
  /** Takes an answer about metadata, so many milliseconds later. */
  const learn = (afterMs: number, ...answers: Parameters<TestCluster["learn"]>[0]) => {
    cluster.clock.advance(afterMs);
    cluster.learn(answers);
    topics.look(cluster.clock.now());
    return logger.lines.splice(0);
  };
  return { cluster, topics, logger, learn };
}

const said = ['warn: a topic that is to be read does not exist: waits for it {"topic":"orders"}'];

test("a topic that is to be read and is not there is told of once, after a while, and again when it is gone again", () => {
  const { learn } = fixture();
  expect(learn(0, absent("orders"))).toEqual([]);
  expect(learn(900, absent("orders"))).toEqual([]);
  expect(learn(100, absent("orders"))).toEqual(said);
  expect(learn(5_000, absent("orders"))).toEqual([]);
  expect(learn(0, topicLedBy("orders", [1]))).toEqual([]);
  expect(learn(0, absent("orders"))).toEqual([]);
  expect(learn(1_000, absent("orders"))).toEqual(said);
});

test("nothing is told of one that is being made, has another error, or is not to be read", () => {
  const { learn } = fixture();
  expect(learn(0, absent("orders"), absent("refunds"))).toEqual([]);
  expect(learn(500, topicLedBy("orders", [1]), absent("refunds"))).toEqual([]);
  for (const error of ["TOPIC_AUTHORIZATION_FAILED", "LEADER_NOT_AVAILABLE"] as const) {
    expect(learn(1_000, absent("orders", error), absent("refunds"))).toEqual([]);
  }
});

test("only answers are looked at, each once", () => {
  const { cluster, topics, logger, learn } = fixture();
  learn(0, absent("orders"));
  topics.look(cluster.clock.now() + 2_000);
  expect(logger.lines).toEqual([]);
});
