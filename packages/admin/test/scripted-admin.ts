import { type Clock, systemClock } from "@odradek/network";
import { codeOf } from "@odradek/protocol";
import { FindCoordinator } from "@odradek/protocol/messages/find-coordinator";
import { onTestFinished } from "vitest";
import { ManualClock } from "../../network/test/manual-clock.ts";
import { passing } from "../../network/test/passing.ts";
import { type BrokerScript, ScriptedCluster } from "../../network/test/scripted-cluster.ts";
import type { ApiVersionsAnswer, PeerConnection, PeerRequest } from "../../network/test/scripted-peer.ts";
import { KafkaAdmin } from "../src/index.ts";

/** An admin client of three scripted brokers, which asks again as soon as it may. */
export async function scriptedAdmin(script: BrokerScript, clock: Clock = systemClock) {
  const cluster = await ScriptedCluster.listen(3, script);
  const { bootstrapServers } = cluster;
  const admin = new KafkaAdmin(
    { bootstrapServers, retryBackoffMs: 1, retryBackoffMaxMs: 1, reconnectBackoffMs: 1 },
    clock,
  );
  // What a silent broker has is not waited for.
  onTestFinished(async () => {
    const closed = admin.close({ timeoutMs: 0 });
    if (clock instanceof ManualClock) await passing(clock).pass(0);
    await closed;
  });
  return { admin, cluster };
}

/** Everything that we speak, but for some APIs, which go no further than told; those with `null` are missing. */
export function versions(newest: Readonly<Record<number, number | null>>): ApiVersionsAnswer {
  const keys = Array.from({ length: 95 }, (_, apiKey) => ({ apiKey, minVersion: 0, maxVersion: newest[apiKey] ?? 99 }));
  return { errorCode: 0, apiKeys: keys.filter(({ apiKey }) => newest[apiKey] !== null) };
}

const nobody = { nodeId: -1, host: "", port: -1, errorMessage: null };

/** Answers who coordinates each of the groups, or transactional ids; `null` for nobody yet. */
export function answerCoordinator(
  connection: PeerConnection,
  request: PeerRequest,
  cluster: ScriptedCluster,
  brokerOf: (groupId: string) => number | null,
): void {
  const { key, coordinatorKeys } = request.body(FindCoordinator);
  const at = (groupId: string) => {
    const nodeId = brokerOf(groupId);
    if (nodeId === null) return { ...nobody, errorCode: codeOf("COORDINATOR_NOT_AVAILABLE") };
    const peer = cluster.peers[nodeId - 1];
    if (peer === undefined) throw new Error(`there is no broker ${nodeId}`);
    return { nodeId, errorCode: 0, errorMessage: null, ...peer.address };
  };
  const many = { coordinators: coordinatorKeys.map((groupId) => ({ key: groupId, ...at(groupId) })) };
  connection.answer(request, FindCoordinator, request.apiVersion < 4 ? at(key) : many);
}
