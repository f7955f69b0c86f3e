import { noProducerState, type ProducerState, RecordBatchBuilder } from "@odradek/protocol";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../src/clock.ts";
import { AppendError, producedBatch } from "../src/log/log-batch.ts";
import { type LogConfig, PartitionLog } from "../src/log/partition-log.ts";

const config: LogConfig = {
  isDeleted: true,
  isCompacted: false,
  retentionBytes: Number.POSITIVE_INFINITY,
  retentionMs: Number.POSITIVE_INFINITY,
  segmentBytes: 1_000_000,
  segmentMs: Number.POSITIVE_INFINITY,
  minCleanableDirtyRatio: 0.5,
  minCompactionLagMs: 0,
  maxCompactionLagMs: Number.POSITIVE_INFINITY,
  deleteRetentionMs: 0,
  maxMessageBytes: 1_000_000,
  isLogAppendTime: false,
};
const newLog = (): PartitionLog => new PartitionLog(new ManualClock(1_000), () => config);

function append(log: PartitionLog, count: number, producer: ProducerState = noProducerState, leaderEpoch = 0): bigint {
  const builder = new RecordBatchBuilder(Buffer.alloc(1_000));
  for (let n = 0; n < count; n++) builder.append(1_000 + n, null, `${n}`);
  const { batch, bytes } = producedBatch(Buffer.from(builder.close(producer)));
  return log.append(batch, bytes, leaderEpoch).baseOffset;
}

const idempotent = (baseSequence: number, producerEpoch = 0, isTransactional = false): ProducerState => ({
  ...{ producerId: 7n, producerEpoch, baseSequence, isTransactional },
});

const codeOfFailure = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof AppendError) return error.code;
    throw error;
  }
  return "none";
};

describe("sequences", () => {
  test("begin at 0 again after the largest int32", () => {
    const log = newLog();
    append(log, 2, idempotent(0x7fff_fffe));
    expect(append(log, 1, idempotent(0))).toBe(2n);
    expect(codeOfFailure(() => append(log, 1, idempotent(2)))).toBe("OUT_OF_ORDER_SEQUENCE_NUMBER");
  });

  test("are counted over the end by a batch that crosses it", () => {
    const log = newLog();
    append(log, 3, idempotent(0x7fff_fffe));
    expect(append(log, 1, idempotent(1))).toBe(3n);
    expect(append(log, 3, idempotent(0x7fff_fffe))).toBe(0n);
  });
});

describe("transactions", () => {
  test("keep the last stable offset at the first that is open", () => {
    const log = newLog();
    append(log, 1);
    append(log, 2, idempotent(0, 0, true));
    append(log, 1);
    expect(log.lastStableOffset).toBe(1n);
    log.appendMarker({ type: "abort", coordinatorEpoch: 0 }, { producerId: 7n, producerEpoch: 0 }, 0);
    expect(log.lastStableOffset).toBe(5n);
    expect(log.abortedTransactions(0n, 5n)).toEqual([{ producerId: 7n, firstOffset: 1n, lastOffset: 4n }]);
    expect(log.abortedTransactions(0n, 1n)).toEqual([]);
    log.deleteRecordsBelow(5n);
    expect(log.abortedTransactions(0n, 9n)).toEqual([]);
  });

  test("are open again where the log was cut before their marker", () => {
    const log = newLog();
    append(log, 1, idempotent(0, 0, true));
    log.appendMarker({ type: "commit", coordinatorEpoch: 0 }, { producerId: 7n, producerEpoch: 0 }, 0);
    log.truncateTo(1n);
    expect(log.highWatermark).toBe(1n);
    expect(log.lastStableOffset).toBe(0n);
  });

  test("take no other records of their producer", () => {
    const log = newLog();
    append(log, 1, idempotent(0, 0, true));
    expect(codeOfFailure(() => append(log, 1, idempotent(1)))).toBe("INVALID_TXN_STATE");
  });
});

describe("leader epochs", () => {
  test("end where the next begins", () => {
    const log = newLog();
    log.epochs.assign(0, 0n);
    append(log, 2, noProducerState, 0);
    append(log, 3, noProducerState, 4);
    expect(log.epochs.endOf(0, log.logEndOffset)).toEqual({ epoch: 0, endOffset: 2n });
    expect(log.epochs.endOf(3, log.logEndOffset)).toEqual({ epoch: 0, endOffset: 2n });
    expect(log.epochs.endOf(4, log.logEndOffset)).toEqual({ epoch: 4, endOffset: 5n });
    expect(log.epochs.endOf(5, log.logEndOffset)).toBeNull();
    log.truncateTo(2n);
    expect(log.epochs.endOf(4, log.logEndOffset)).toBeNull();
  });
});

test("who watches a log hears of it until it stops", () => {
  const log = newLog();
  let heard = 0;
  const stop = log.watch(() => {
    heard += 1;
  });
  append(log, 1);
  expect(heard).toBe(1);
  stop();
  append(log, 1);
  expect(heard).toBe(1);
});
