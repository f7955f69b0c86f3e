import { Metadata, type MetadataResponse } from "@odradek/protocol/messages/metadata";
import { metadataAnswer } from "./metadata-answers.ts";
import { type ApiVersionsAnswer, type PeerConnection, type PeerRequest, ScriptedPeer } from "./scripted-peer.ts";

/** What one broker does besides its part in every test: answering the handshake and questions for metadata. */
export interface BrokerScript {
  /** @returns false to have the connection closed at once */
  readonly accept?: (broker: number, index: number) => boolean;
  readonly versions?: ApiVersionsAnswer;
  /** @returns null to leave the question without an answer */
  readonly metadata?: (cluster: ScriptedCluster, request: PeerRequest) => MetadataResponse | null;
  /** Any other request. */
  readonly serve?: (connection: PeerConnection, request: PeerRequest, broker: number) => Promise<void> | void;
}

/** Scripted peers that name one another in their metadata: brokers 1, 2, ... of which the first is the controller. */
export class ScriptedCluster {
  readonly peers: ScriptedPeer[] = [];
  /** Topics that each question for metadata asked for. */
  readonly questions: string[][] = [];

  static async listen(count: number, script: BrokerScript = {}): Promise<ScriptedCluster> {
    const cluster = new ScriptedCluster();
    for (let broker = 1; broker <= count; broker++) {
      cluster.peers.push(
        await ScriptedPeer.listen((connection, index) => cluster.#run(script, broker, connection, index)),
      );
    }
    return cluster;
  }

  get bootstrapServers(): string[] {
    return this.peers.map(({ address }) => `${address.host}:${address.port}`);
  }

  /** Connections that were made to the broker, also those that are closed. */
  connectionsTo(broker: number): readonly PeerConnection[] {
    return this.peers[broker - 1]?.connections ?? [];
  }

  /** An answer that names these brokers and no topic. */
  answer(more: Partial<MetadataResponse> = {}): MetadataResponse {
    const brokers = this.peers.map(({ address }, index) => ({ nodeId: index + 1, rack: null, ...address }));
    return metadataAnswer([], { brokers, ...more });
  }

  async #run(script: BrokerScript, broker: number, connection: PeerConnection, index: number): Promise<void> {
    if (script.accept?.(broker, index) === false) {
      connection.end();
      return;
    }
    await connection.handshake(script.versions);
    for (;;) {
      const request = await connection.next();
      if (request.apiKey === Metadata.key) this.#onMetadata(script, connection, request);
      else await script.serve?.(connection, request, broker);
    }
  }

  #onMetadata(script: BrokerScript, connection: PeerConnection, request: PeerRequest): void {
    this.questions.push((request.body(Metadata).topics ?? []).map(({ name }) => name ?? ""));
    const answer = script.metadata === undefined ? this.answer() : script.metadata(this, request);
    if (answer !== null) connection.answer(request, Metadata, answer);
  }
}
