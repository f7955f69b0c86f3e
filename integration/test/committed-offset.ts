import { brokerErrorByCode } from "@odradek/protocol";
import { OffsetFetch } from "@odradek/protocol/messages/offset-fetch";
import { until } from "../cluster/readiness.ts";
import { type Address, Wire } from "../cluster/wire.ts";

/** From these versions on the coordinator may be asked to be sure, and a request is about many groups. */
const stableSince = 7;
const manyGroupsSince = 8;
/** Versions from 10 on know topics by their ids. */
const newest = 9;

/**
 * What a group has committed in partition 0 of a topic; -1 for nothing. Where a transaction with another offset has been ended and
 * its coordinator still has to tell the group's, that is waited for, except by brokers before 2.5.
 */
export async function committedOffset(
  bootstrapServers: readonly string[],
  groupId: string,
  topic: string,
): Promise<bigint> {
  let offset: bigint | null = null;
  await until(`the coordinator of ${groupId} knows its offset`, async () => {
    const answers: string[] = [];
    for (const server of bootstrapServers) {
      const { errorCode, committedOffset: committed } = await fetchFrom(addressOf(server), groupId, topic);
      if (errorCode === 0) {
        offset = committed;
        return true;
      }
      answers.push(`${server}: ${brokerErrorByCode(errorCode).name}`);
    }
    return answers.join(", ");
  });
  return offset ?? -1n;
}

interface Answer {
  readonly errorCode: number;
  readonly committedOffset: bigint;
}

async function fetchFrom(address: Address, groupId: string, topic: string): Promise<Answer> {
  using wire = await Wire.open(address);
  const topics = [{ name: topic, partitionIndexes: [0] }];
  const version = wire.versions.get(OffsetFetch.key)?.maxVersion ?? 0;
  if (version < manyGroupsSince) {
    const stable = version < stableSince ? {} : { requireStable: true };
    const answer = await wire.ask(OffsetFetch, { groupId, topics, ...stable });
    return told(answer.errorCode, answer.topics[0]?.partitions[0]);
  }
  const { groups } = await wire.ask(OffsetFetch, { groups: [{ groupId, topics }], requireStable: true }, { newest });
  return told(groups[0]?.errorCode ?? 0, groups[0]?.topics[0]?.partitions[0]);
}

const told = (groupError: number, partition: Answer | undefined): Answer =>
  groupError !== 0 || partition === undefined ? { errorCode: groupError, committedOffset: -1n } : partition;

function addressOf(server: string): Address {
  const [host = "", port] = server.split(":");
  return { host, port: Number(port) };
}
