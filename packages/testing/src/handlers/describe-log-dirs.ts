import { freemem, totalmem } from "node:os";
import { DescribeLogDirs } from "@odradek/protocol/messages/describe-log-dirs";
import { handler } from "../request-context.ts";

/** Logs are in memory: the directory has a name, and the machine's memory is its volume. */
const logDirOf = (brokerId: number): string => `/memory/broker-${brokerId}`;

export const describeLogDirs = handler({
  api: DescribeLogDirs,
  refuse: (errorCode) => ({ throttleTimeMs: 0, errorCode, results: [] }),
  handle: ({ topics }, { cluster, broker }) => {
    const isWanted = (topic: string, partition: number) =>
      topics === null || topics.some((it) => it.topic === topic && it.partitions.includes(partition));
    const described = cluster.topics.all().flatMap(({ name, partitions }) => {
      const here = partitions.filter(({ replicas, index }) => replicas.includes(broker.id) && isWanted(name, index));
      if (here.length === 0) return [];
      return {
        name,
        partitions: here.map(({ index, log }) => ({
          partitionIndex: index,
          partitionSize: BigInt(log.sizeInBytes),
          offsetLag: 0n,
          isFutureKey: false,
        })),
      };
    });
    return {
      throttleTimeMs: 0,
      errorCode: 0,
      results: [
        {
          ...{ errorCode: 0, logDir: logDirOf(broker.id), topics: described },
          ...{ totalBytes: BigInt(totalmem()), usableBytes: BigInt(freemem()) },
        },
      ],
    };
  },
});
