import {
  type Api,
  BrokerError,
  codeOf,
  type Fields,
  type Input,
  type Output,
  UnsupportedVersionError,
} from "@odradek/protocol";
import { ApiVersions } from "@odradek/protocol/messages/api-versions";
import type { ConnectionPeer } from "./connection-peer.ts";
import { addressText } from "./errors.ts";
import { NodeApiVersions } from "./node-api-versions.ts";
import { softwareName, softwareVersion } from "./software.ts";

/** Sends a request over a connection that is not ready yet. */
type Ask = <Req extends Fields, Res extends Fields>(
  api: Api<Req, Res>,
  version: number,
  body: Input<Req>,
) => Promise<Output<Res>>;

/**
 * Asks a broker what it supports. A broker that does not know our version of the question says so in the form of
 * version 0, with the versions that it does know where it is new enough to tell (KIP-511), and is asked once more.
 *
 * @param clusterId of which cluster it is to be; one that is of another, or another of this, says so (KIP-1242). `null`
 *   where that is all the same. Nothing is said to bootstrap servers, which may be any of them
 * @throws UnsupportedVersionError, BrokerError, and what the connection throws
 */
export async function handshake(peer: ConnectionPeer, clusterId: string | null, ask: Ask): Promise<NodeApiVersions> {
  const about = `ApiVersions to ${addressText(peer)}`;
  const body = {
    clientSoftwareName: softwareName,
    clientSoftwareVersion: softwareVersion,
    ...(clusterId === null || peer.nodeId < 0 ? {} : { clusterId, nodeId: peer.nodeId }),
  };
  let response = await ask(ApiVersions, ApiVersions.versions[1], body);
  if (response.errorCode === codeOf("UNSUPPORTED_VERSION")) {
    const offered = response.apiKeys.find(({ apiKey }) => apiKey === ApiVersions.key)?.maxVersion ?? 0;
    response = await ask(ApiVersions, Math.max(0, Math.min(offered, ApiVersions.versions[1])), body);
  }
  if (response.errorCode === codeOf("UNSUPPORTED_VERSION")) {
    throw new UnsupportedVersionError(`${about}: the broker refuses every version that it offered`);
  }
  if (response.errorCode !== 0) throw new BrokerError(response.errorCode, about);
  return new NodeApiVersions(response);
}
