import { AlterPartitionReassignments } from "@odradek/protocol/messages/alter-partition-reassignments";
import { CreatePartitions } from "@odradek/protocol/messages/create-partitions";
import { CreateTopics } from "@odradek/protocol/messages/create-topics";
import { DeleteTopics } from "@odradek/protocol/messages/delete-topics";
import { ListPartitionReassignments } from "@odradek/protocol/messages/list-partition-reassignments";
import { expect, test } from "vitest";
import type { KafkaAdmin, OperationOptions } from "../../src/index.ts";
import { scriptedAdmin } from "../scripted-admin.ts";

/** Asks all that takes the option, of brokers that answer nothing of what was asked for. @returns what they were told, by API */
async function told(options: OperationOptions): Promise<Record<string, number>> {
  const timeouts: Record<string, number> = {};
  const { admin } = await scriptedAdmin({
    serve(connection, request) {
      const none = { throttleTimeMs: 0, errorCode: 0, errorMessage: null };
      const tell = ({ name }: { readonly name: string }, body: { readonly timeoutMs: number }) => {
        timeouts[name] = body.timeoutMs;
      };
      switch (request.apiKey) {
        case CreateTopics.key:
          tell(CreateTopics, request.body(CreateTopics));
          return connection.answer(request, CreateTopics, { ...none, topics: [] });
        case DeleteTopics.key:
          tell(DeleteTopics, request.body(DeleteTopics));
          return connection.answer(request, DeleteTopics, { ...none, responses: [] });
        case CreatePartitions.key:
          tell(CreatePartitions, request.body(CreatePartitions));
          return connection.answer(request, CreatePartitions, { ...none, results: [] });
        case AlterPartitionReassignments.key:
          tell(AlterPartitionReassignments, request.body(AlterPartitionReassignments));
          return connection.answer(request, AlterPartitionReassignments, { ...none, responses: [] });
        default:
          tell(ListPartitionReassignments, request.body(ListPartitionReassignments));
          return connection.answer(request, ListPartitionReassignments, { ...none, topics: [] });
      }
    },
  });
  await everything(admin, options);
  return timeouts;
}

async function everything(admin: KafkaAdmin, options: OperationOptions): Promise<void> {
  await admin.createTopics([{ topic: "t", numPartitions: 1 }], options);
  await admin.deleteTopics(["t"], options);
  await admin.createPartitions([{ topic: "t", totalCount: 2 }], options);
  await admin.alterPartitionReassignments([{ topic: "t", partition: 0, replicaIds: [1] }], options);
  await admin.listPartitionReassignments(null, options);
}

const names = [
  "CreateTopics",
  "DeleteTopics",
  "CreatePartitions",
  "AlterPartitionReassignments",
  "ListPartitionReassignments",
];

test.each([
  ["as they are told", { operationTimeoutMs: 1_234 }, 1_234],
  ["as long as a request, unless they are told otherwise", {}, 30_000],
  ["no longer than a request", { operationTimeoutMs: 99_000 }, 30_000],
])("brokers may take %s", async (_, options, timeoutMs) => {
  expect(await told(options)).toEqual(Object.fromEntries(names.map((name) => [name, timeoutMs])));
});
