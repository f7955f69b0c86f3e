import type { ConsumerDiagnosticsMessages, DiagnosticsListener, GroupAssignmentMessage } from "odradek";
import type { Instrumentation } from "../client/instrumentation.ts";
import { requestListener } from "../client/request-events.ts";

/**
 * Tells what the layer below says of one consumer as events of kafkajs, while somebody listens to them.
 *
 * @param onAssignment called with each assignment of the group
 */
export function consumerListener(
  instrumentation: Instrumentation,
  onAssignment: (message: GroupAssignmentMessage) => void,
): DiagnosticsListener<ConsumerDiagnosticsMessages> {
  const requests = requestListener(instrumentation);

  const onRequest: (typeof requests)["odradek:request"] = (message) => {
    // A text, whatever the types have always said.
    if (message.api === "Fetch") instrumentation.emit("consumer.fetch_start", { nodeId: String(message.nodeId) });
    requests["odradek:request"]?.(message);
  };
  const onResponse: (typeof requests)["odradek:response"] = (message) => {
    const { api, nodeId, latencyMs } = message;
    if (api === "Fetch") {
      // kafkajs always says that there are no batches.
      const payload = { numberOfBatches: 0, duration: Math.round(latencyMs), nodeId: String(nodeId) };
      instrumentation.emit("consumer.fetch", payload);
    }
    requests["odradek:response"]?.(message);
  };
  const onHeartbeat = ({ groupId, memberId, generationId }: ConsumerDiagnosticsMessages["odradek:group-heartbeat"]) =>
    instrumentation.emit("consumer.heartbeat", { groupId, memberId, groupGenerationId: generationId });
  return {
    get "odradek:request"() {
      return instrumentation.isHeard("consumer.fetch_start") ? onRequest : requests["odradek:request"];
    },
    get "odradek:response"() {
      return instrumentation.isHeard("consumer.fetch") ? onResponse : requests["odradek:response"];
    },
    get "odradek:request-timeout"() {
      return requests["odradek:request-timeout"];
    },
    get "odradek:group-heartbeat"() {
      return instrumentation.isHeard("consumer.heartbeat") ? onHeartbeat : undefined;
    },
    "odradek:group-assignment": onAssignment,
  };
}
