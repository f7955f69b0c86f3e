import { codeOf } from "@odradek/protocol";
import { DescribeCluster } from "@odradek/protocol/messages/describe-cluster";
import { handler } from "../request-context.ts";

const brokers = 1;
/** Every operation on a cluster: one without an authorizer allows all of them. */
const clusterOperations = 0b0001_1111_1010_0000;

export const describeCluster = handler({
  api: DescribeCluster,
  refuse: (errorCode) => ({ throttleTimeMs: 0, errorCode, clusterId: "", brokers: [] }),
  handle: (request, { cluster }) => {
    const { endpointType } = request;
    if (endpointType !== brokers) {
      const errorCode = codeOf("MISMATCHED_ENDPOINT_TYPE");
      const errorMessage =
        "The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER";
      return { throttleTimeMs: 0, errorCode, errorMessage, clusterId: "", brokers: [] };
    }
    return {
      throttleTimeMs: 0,
      errorCode: 0,
      endpointType,
      clusterId: cluster.id,
      controllerId: cluster.controllerId,
      brokers: cluster.live.map(({ id, host, port, rack }) => ({ brokerId: id, host, port, rack, isFenced: false })),
      ...(request.includeClusterAuthorizedOperations ? { clusterAuthorizedOperations: clusterOperations } : {}),
    };
  },
});
