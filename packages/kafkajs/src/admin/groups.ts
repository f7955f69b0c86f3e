import { KafkaJSNonRetriableError, type KafkaJSProtocolError } from "../errors/errors.ts";
import { KafkaJSDeleteGroupsError, type KafkaJSDeleteGroupsErrorGroups } from "../errors/group-errors.ts";
import type { AdminClient } from "./admin-client.ts";
import { checkArray } from "./arguments.ts";
import { brokerAnswer } from "./broker-answer.ts";

export interface GroupOverview {
  groupId: string;
  /** What its members speak, such as `consumer`; empty for a group that only holds offsets. */
  protocolType: string;
}

export interface DeleteGroupsResult {
  groupId: string;
  /** 0: what failed is an error. */
  errorCode?: number;
  error?: KafkaJSProtocolError;
}

/** Those of all brokers. */
export async function listGroups(client: AdminClient): Promise<{ groups: GroupOverview[] }> {
  const groups = await client.ask(async (admin) => (await admin.listGroups()).orThrow().flat());
  return { groups: groups.map(({ groupId, protocolType }) => ({ groupId, protocolType })) };
}

/** @throws KafkaJSDeleteGroupsError naming those that could not be deleted; the others are */
export async function deleteGroups(client: AdminClient, groupIds: readonly string[]): Promise<DeleteGroupsResult[]> {
  checkArray(groupIds, "groupIds");
  const invalid = groupIds.find((groupId) => typeof groupId !== "string");
  if (invalid !== undefined) throw new KafkaJSNonRetriableError(`Invalid groupId name: ${JSON.stringify(invalid)}`);
  return client.ask(async (admin) => {
    const results = [...(await admin.deleteConsumerGroups([...new Set(groupIds)]))];
    const failures = results.flatMap(({ key, error }) => (error === null ? [] : [failureOf(error, key)]));
    if (failures.length > 0) throw new KafkaJSDeleteGroupsError("Error in DeleteGroups", failures);
    return results.map(({ key: groupId }) => ({ groupId, errorCode: 0 }));
  });
}

/** @throws what is no answer about a group, but that there is none */
function failureOf(error: Error, groupId: string): KafkaJSDeleteGroupsErrorGroups {
  const answer = brokerAnswer(error);
  if (answer === null) throw error;
  return { groupId, errorCode: answer.code ?? -1, error: answer };
}
