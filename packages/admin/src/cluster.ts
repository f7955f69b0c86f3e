import { type Node, OptionReader, OptionsError } from "@odradek/network";
import { BrokerError, type KafkaErrorCode, UnsupportedVersionError } from "@odradek/protocol";
import { DescribeCluster } from "@odradek/protocol/messages/describe-cluster";
import { UnregisterBroker } from "@odradek/protocol/messages/unregister-broker";
import { UnregisterController } from "@odradek/protocol/messages/unregister-controller";
import { type AclOperation, authorizedOperations } from "./acl-operations.ts";
import { isInt32 } from "./asking/arguments.ts";
import { type AdminCallOptions, type AdminContext, Call, type Whom } from "./asking/call.ts";
import { clusterMetadata } from "./asking/cluster-metadata.ts";
import { askOne } from "./asking/fan-out.ts";
import { toAny } from "./asking/routing.ts";

export interface DescribeClusterOptions extends AdminCallOptions {
  /** Whether the broker is asked what the client may do with the cluster; before Kafka 2.3 it does not tell. @default false */
  readonly includeAuthorizedOperations?: boolean;
  /** Whether brokers are listed that are registered, but serve nobody (KIP-1073, Kafka 4.0). @default false */
  readonly includeFencedBrokers?: boolean;
}

export interface BrokerDescription extends Node {
  /** Whether it serves nobody right now, as one that has stopped. Told only where those were asked for. */
  readonly isFenced: boolean;
}

export interface ClusterDescription {
  readonly clusterId: string | null;
  /** In KRaft a broker that passes on what is meant for the controller; `null` where nobody is known. */
  readonly controllerId: number | null;
  /** In the order of their ids. */
  readonly brokers: readonly BrokerDescription[];
  /** What the client may do with the cluster; `null` where that was not asked for, or the broker does not tell. */
  readonly authorizedOperations: readonly AclOperation[] | null;
}

/** See `KafkaAdmin.connect`. */
export async function connect(context: AdminContext, options: AdminCallOptions): Promise<void> {
  const reader = new OptionReader(options);
  const { deadline, signal } = new Call(context, reader);
  reader.finish();
  signal?.throwIfAborted();
  const { network } = context;
  const find = () => network.metadata.snapshot.controllerId;
  await network.awaitMetadata(deadline, "connecting to the cluster", find, { signal });
}

/** See `KafkaAdmin.describeCluster`. */
export async function describeCluster(
  context: AdminContext,
  options: DescribeClusterOptions,
): Promise<ClusterDescription> {
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  const withOperations = reader.boolean("includeAuthorizedOperations", false);
  const withFenced = reader.boolean("includeFencedBrokers", false);
  reader.finish();
  return askOne(call, "DescribeCluster", async (whom) => {
    try {
      return await describeBy(call, whom, withOperations, withFenced);
    } catch (error) {
      if (!(error instanceof UnsupportedVersionError) || withFenced) throw error;
      return describeByMetadata(call, withOperations);
    }
  });
}

const fencedBrokersSince = 2;

/** What DescribeCluster calls controllers, where it is asked for them. */
const controllers = 2;

async function describeBy(
  call: Call,
  whom: Whom,
  withOperations: boolean,
  withFenced: boolean,
): Promise<ClusterDescription> {
  const ofControllers = call.asksControllers ? { endpointType: controllers } : {};
  const body = (version: number) => ({
    includeClusterAuthorizedOperations: withOperations,
    ...ofControllers,
    ...(version < fencedBrokersSince ? {} : { includeFencedBrokers: withFenced }),
  });
  const response = await call.request(DescribeCluster, body, whom, withFenced ? { oldest: fencedBrokersSince } : {});
  if (response.errorCode !== 0) throw new BrokerError(response.errorCode, "DescribeCluster", response.errorMessage);
  return {
    clusterId: response.clusterId,
    controllerId: response.controllerId < 0 ? null : response.controllerId,
    brokers: response.brokers
      .map(({ brokerId: id, host, port, rack, isFenced }) => ({ id, host, port, rack, isFenced }))
      .sort(byId),
    authorizedOperations: withOperations ? authorizedOperations(response.clusterAuthorizedOperations) : null,
  };
}

/** Brokers before Kafka 2.8 have only that. */
async function describeByMetadata(call: Call, withOperations: boolean): Promise<ClusterDescription> {
  const query = { includeClusterAuthorizedOperations: withOperations };
  const { clusterId, controllerId, brokers, clusterAuthorizedOperations } = await clusterMetadata(call, [], query);
  return {
    clusterId,
    controllerId: controllerId < 0 ? null : controllerId,
    brokers: brokers.map(({ nodeId: id, host, port, rack }) => ({ id, host, port, rack, isFenced: false })).sort(byId),
    authorizedOperations: withOperations ? authorizedOperations(clusterAuthorizedOperations) : null,
  };
}

const byId = (one: Node, other: Node): number => one.id - other.id;

/** See `KafkaAdmin.unregisterBroker`. */
export async function unregisterBroker(
  context: AdminContext,
  brokerId: number,
  options: AdminCallOptions,
): Promise<void> {
  if (!isInt32(brokerId)) throw new OptionsError("brokerId", brokerId, "the id of a broker");
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  reader.finish();
  const ask = (whom: Whom) => call.request(UnregisterBroker, { brokerId }, whom);
  await unregister(call, `unregistering broker ${brokerId}`, ask, "BROKER_ID_NOT_REGISTERED");
}

/** See `KafkaAdmin.unregisterController`. */
export async function unregisterController(
  context: AdminContext,
  controllerId: number,
  options: AdminCallOptions,
): Promise<void> {
  if (!isInt32(controllerId)) throw new OptionsError("controllerId", controllerId, "the id of a controller");
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  reader.finish();
  const ask = (whom: Whom) => call.request(UnregisterController, { controllerId }, whom);
  await unregister(call, `unregistering controller ${controllerId}`, ask, "CONTROLLER_ID_NOT_REGISTERED");
}

/** @param doneBefore what is answered where there is none of that id, or no more */
async function unregister(
  call: Call,
  about: string,
  ask: (whom: Whom) => Promise<{ readonly errorCode: number; readonly errorMessage: string | null }>,
  doneBefore: KafkaErrorCode,
): Promise<void> {
  const askOnce = async (whom: Whom) => {
    const { errorCode, errorMessage } = await ask(whom);
    if (errorCode !== 0) throw new BrokerError(errorCode, about, errorMessage);
    return true;
  };
  // A controller that was busy is asked again, as Java's client does.
  const routing = { ...toAny<string>(), passing: new Set<KafkaErrorCode>(["REQUEST_TIMED_OUT"]) };
  await askOne(call, about, askOnce, { routing, doneBefore: new Set([doneBefore]) });
}
