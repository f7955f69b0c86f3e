import { countFrom, watchLogs } from "./committed-records.ts";
import type { CommittedOffset } from "./groups/committed-offsets.ts";
import type { GroupCoordinator } from "./groups/group-coordinator.ts";
import type { Topic } from "./topics/topic.ts";
import { whenThere } from "./waiting.ts";

/**
 * Waits until nothing of a topic is left for a group to read, by the offsets that it committed; records of open and
 * aborted transactions aside.
 *
 * @returns the offsets
 * @throws Error when it does not come to that in time
 */
export function waitForCommitted(
  groupId: string,
  topic: Topic,
  groups: GroupCoordinator,
  { timeoutMs, closing }: { readonly timeoutMs: number; readonly closing: AbortSignal },
): Promise<CommittedOffset[]> {
  const committed = () => (groups.get(groupId)?.offsets.all() ?? []).filter((offset) => offset.topic === topic.name);
  const failure = () =>
    `the group ${groupId} has ${recordsLeft(topic, committed())} records of ${topic.name} left after ${timeoutMs} ms`;
  return whenThere(
    () => (recordsLeft(topic, committed()) === 0 ? committed() : null),
    (onChange) => {
      const unwatch = [groups.watch(onChange), watchLogs(topic, onChange)];
      return () => {
        for (const stop of unwatch) stop();
      };
    },
    { timeoutMs, closing, failure },
  );
}

function recordsLeft({ partitions }: Topic, committed: readonly CommittedOffset[]): number {
  return partitions.reduce((sum, { index, log }) => {
    const position = committed.find(({ partition }) => partition === index)?.offset ?? log.logStartOffset;
    return sum + countFrom(log, position);
  }, 0);
}
