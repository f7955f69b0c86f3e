import { type RequestOf, zeroUuid } from "@odradek/protocol";
import { ApiVersions } from "@odradek/protocol/messages/api-versions";
import { Fetch, type FetchResponse } from "@odradek/protocol/messages/fetch";
import { ListOffsets, type ListOffsetsResponse } from "@odradek/protocol/messages/list-offsets";
import { Metadata, type MetadataResponse } from "@odradek/protocol/messages/metadata";
import { brokerAnswer, metadataAnswer } from "../../network/test/metadata-answers.ts";
import { type PeerConnection, type PeerRequest, ScriptedPeer } from "../../network/test/scripted-peer.ts";
import { fetchAnswer, fetched, listAnswer, listed } from "./answers.ts";
import { topicLedBy } from "./test-cluster.ts";

/** One partition of a Fetch request, as it came. */
export interface Fetched {
  readonly version: number;
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  readonly offset: number;
  readonly partitionMaxBytes: number;
}

/** What a broker does with a request: answers it, loses the connection, sends bytes of its own, or says nothing. */
export type Reaction<Response> = Response | "reset" | "silence" | { readonly bytes: string };

export interface BrokerScript {
  /** @param count how many came before; nothing new unless this says otherwise */
  fetch?(asked: Fetched, count: number): Reaction<FetchResponse> | null | Promise<Reaction<FetchResponse> | null>;
  /** @default every log begins at 0 and ends at 100 */
  listOffsets?(timestamp: bigint, count: number): Reaction<ListOffsetsResponse>;
  /** @param asked the topics that it was asked for, `null` for all. @default `orders`, with one partition that this broker leads */
  metadata?(self: ScriptedBroker, count: number, asked: readonly string[] | null): Reaction<MetadataResponse>;
  /** Whether it says that it has heard of the end of a session. @default true */
  readonly answersEnds?: boolean;
  /** The newest version of Fetch. @default any */
  readonly newestFetch?: number;
}

/** A broker of one node, 1 unless said otherwise, that knows `orders-0` and does what a test tells it. */
export class ScriptedBroker {
  readonly nodeId: number;
  /** Every Fetch that came, by its first partition. */
  readonly fetches: Fetched[] = [];
  /** The sessions that were ended, and with how many Fetches of theirs to be answered still. */
  readonly sessionEnds: { readonly sessionId: number; readonly held: number }[] = [];
  readonly #script: BrokerScript;
  readonly #counts = { fetch: 0, listOffsets: 0, metadata: 0 };
  #peer: ScriptedPeer | null = null;
  #held = 0;

  private constructor(script: BrokerScript, nodeId: number) {
    this.#script = script;
    this.nodeId = nodeId;
  }

  static async start(script: BrokerScript = {}, nodeId = 1): Promise<ScriptedBroker> {
    const broker = new ScriptedBroker(script, nodeId);
    broker.#peer = await ScriptedPeer.listen((connection) => broker.#serve(connection));
    return broker;
  }

  get port(): number {
    if (this.#peer === null) throw new Error("start makes the peer");
    return this.#peer.address.port;
  }

  get bootstrapServers(): string[] {
    return [`127.0.0.1:${this.port}`];
  }

  /** Connections that are open now. */
  get openConnections(): number {
    return this.#peer?.connections.filter(({ socket }) => !socket.destroyed).length ?? 0;
  }

  /** The answer of a cluster of this broker alone. */
  metadata(leaderId = this.nodeId, topicId: string = zeroUuid): MetadataResponse {
    const brokers = [brokerAnswer(this.nodeId, "127.0.0.1", this.port)];
    return metadataAnswer([topicLedBy("orders", [leaderId], topicId)], { brokers, controllerId: this.nodeId });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#peer?.close();
  }

  async #serve(connection: PeerConnection): Promise<void> {
    await connection.handshake({
      errorCode: 0,
      apiKeys: [Fetch, ListOffsets, Metadata, ApiVersions].map(({ key, versions: [minVersion, maxVersion] }) => ({
        apiKey: key,
        minVersion,
        maxVersion: key === Fetch.key ? (this.#script.newestFetch ?? maxVersion) : maxVersion,
      })),
    });
    for (;;) {
      const request = await connection.next();
      if (request.apiKey === Metadata.key) {
        react(connection, this.#metadata(request), (answer) => connection.answer(request, Metadata, answer));
      } else if (request.apiKey === ListOffsets.key) {
        react(connection, this.#listOffsets(request), (answer) => connection.answer(request, ListOffsets, answer));
      } else {
        await this.#fetch(connection, request);
      }
    }
  }

  #metadata(request: PeerRequest): Reaction<MetadataResponse> {
    const asked = request.body(Metadata).topics?.flatMap(({ name }) => name ?? []) ?? null;
    return this.#script.metadata?.(this, this.#counts.metadata++, asked) ?? this.metadata();
  }

  #listOffsets(request: PeerRequest): Reaction<ListOffsetsResponse> {
    const timestamp = request.body(ListOffsets).topics[0]?.partitions[0]?.timestamp ?? 0n;
    const scripted = this.#script.listOffsets?.(timestamp, this.#counts.listOffsets++);
    return scripted ?? listAnswer("orders", [listed(0, timestamp === -1n ? 100n : 0n)]);
  }

  async #fetch(connection: PeerConnection, request: PeerRequest): Promise<void> {
    const { topics, maxWaitMs, sessionId, sessionEpoch } = request.body(Fetch);
    if (sessionEpoch < 0) {
      this.sessionEnds.push({ sessionId, held: this.#held });
      if (this.#script.answersEnds === false) return;
      connection.answer(request, Fetch, { ...fetchAnswer("orders", []), responses: [] });
      return;
    }
    const asked = this.#asked(request.apiVersion, topics);
    this.fetches.push(asked);
    this.#held += 1;
    const scripted = (await this.#script.fetch?.(asked, this.#counts.fetch++)) ?? null;
    // A broker that has nothing new waits before it says so.
    if (scripted === null) await new Promise((resolve) => setTimeout(resolve, maxWaitMs));
    this.#held -= 1;
    react(connection, scripted ?? fetchAnswer("orders", [fetched(0)]), (answer) => {
      const responses = answer.responses.map((response) => ({ ...response, topicId: asked.topicId }));
      connection.answer(request, Fetch, { ...answer, responses });
    });
  }

  /** Within a session nothing is said of what has not moved: the same as before is asked for. */
  #asked(version: number, [topic]: RequestOf<typeof Fetch>["topics"]): Fetched {
    const [partition] = topic?.partitions ?? [];
    const before = this.fetches.at(-1);
    if (topic !== undefined && partition !== undefined) {
      return {
        version,
        topic: topic.topic ?? "",
        topicId: topic.topicId ?? zeroUuid,
        partition: partition.partition,
        offset: Number(partition.fetchOffset),
        partitionMaxBytes: partition.partitionMaxBytes,
      };
    }
    if (before === undefined) throw new Error("a Fetch without partitions");
    return before;
  }
}

function react<Response extends object>(
  connection: PeerConnection,
  reaction: Reaction<Response>,
  answer: (response: Response) => void,
): void {
  if (reaction === "silence") return;
  if (reaction === "reset") connection.reset();
  else if ("bytes" in reaction) connection.write(Buffer.from(reaction.bytes));
  else answer(reaction);
}
