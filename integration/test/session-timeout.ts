import { IncrementalAlterConfigs } from "@odradek/protocol/messages/incremental-alter-configs";
import { expect } from "vitest";
import { networkOf, withinAMinute } from "./requests.ts";

const group = 32;
const set = 0;

/**
 * Has brokers wait so long for a sign of life of a member of a group of the consumer protocol, before it is the others' turn: only where
 * a test waits for that, since a member on a busy machine may be silent for seconds.
 */
export async function setSessionTimeout(
  bootstrapServers: readonly string[],
  groupId: string,
  timeoutMs: number,
): Promise<void> {
  const configs = [{ name: "consumer.session.timeout.ms", configOperation: set, value: `${timeoutMs}` }];
  const { responses } = await networkOf({ bootstrapServers }).request(
    IncrementalAlterConfigs,
    { resources: [{ resourceType: group, resourceName: groupId, configs }], validateOnly: false },
    { to: "any", deadline: withinAMinute() },
  );
  expect(responses).toMatchObject([{ errorCode: 0, errorMessage: null }]);
}
