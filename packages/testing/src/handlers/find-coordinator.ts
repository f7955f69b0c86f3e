import { type BrokerErrorName, codeOf } from "@odradek/protocol";
import { FindCoordinator } from "@odradek/protocol/messages/find-coordinator";
import { type CoordinatorType, coordinatorType } from "../coordinator-type.ts";
import { handler, type RequestContext } from "../request-context.ts";

const batchedVersion = 4;

export const findCoordinator = handler({
  api: FindCoordinator,
  refuse: (errorCode, { key, coordinatorKeys }, context) =>
    answered(
      context,
      (context.apiVersion < batchedVersion ? [key] : coordinatorKeys).map((each) => failed(each, errorCode, null)),
    ),
  handle: ({ key, keyType, coordinatorKeys }, context) =>
    answered(
      context,
      (context.apiVersion < batchedVersion ? [key] : coordinatorKeys).map((each) => located(each, keyType, context)),
    ),
});

interface Located {
  readonly key: string;
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

const failed = (key: string, errorCode: number, errorMessage: string | null): Located => ({
  ...{ key, nodeId: -1, host: "", port: -1, errorCode, errorMessage },
});

const because = (key: string, name: BrokerErrorName): Located => failed(key, codeOf(name), null);

function located(key: string, keyType: number, { cluster }: RequestContext): Located {
  if (!isCoordinated(keyType)) return because(key, "INVALID_REQUEST");
  if (keyType === coordinatorType.transaction && key === "") return because(key, "INVALID_REQUEST");
  const broker = cluster.coordinatorOf(keyType, key);
  if (broker === undefined) return because(key, "COORDINATOR_NOT_AVAILABLE");
  return { key, nodeId: broker.id, host: broker.host, port: broker.port, errorCode: 0, errorMessage: null };
}

const isCoordinated = (keyType: number): keyType is CoordinatorType =>
  keyType === coordinatorType.group || keyType === coordinatorType.transaction;

function answered({ apiVersion }: RequestContext, coordinators: readonly Located[]) {
  if (apiVersion >= batchedVersion) return { throttleTimeMs: 0, coordinators };
  const [{ key: _, ...only } = because("", "INVALID_REQUEST")] = coordinators;
  return { throttleTimeMs: 0, ...only, errorMessage: apiVersion === 0 ? null : only.errorMessage };
}
