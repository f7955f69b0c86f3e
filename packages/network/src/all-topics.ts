import { BrokerError } from "@odradek/protocol";
import { Metadata } from "@odradek/protocol/messages/metadata";
import { bootstrapSnapshot, type ClusterSnapshot, updatedSnapshot } from "./cluster-snapshot.ts";
import { questionBody } from "./metadata-question.ts";
import type { NetworkClient } from "./network-client.ts";
import type { RequestOptions } from "./request-options.ts";

const everyTopic = { topics: null, isPartial: false };

/**
 * Asks once for every topic that the client may see, apart from the metadata that it keeps up to date.
 *
 * @returns the topics, and the errors of those that could not be told
 * @throws BrokerError for an error of the whole answer, DecodeError; else the same as `NetworkClient.request`
 */
export async function askForAllTopics(
  client: Pick<NetworkClient, "request">,
  options: Pick<RequestOptions, "deadline" | "signal">,
): Promise<Pick<ClusterSnapshot, "topics" | "topicErrors">> {
  let version = 0;
  const body = (usable: number) => {
    version = usable;
    return questionBody(everyTopic, usable, false);
  };
  const response = await client.request(Metadata, body, { to: "any", ...options });
  if (response.errorCode !== 0) throw new BrokerError(response.errorCode, "Metadata of all topics");
  return updatedSnapshot(bootstrapSnapshot([]), response, { version, kept: () => false });
}
