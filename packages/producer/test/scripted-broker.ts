import { type CompressionType, defaultRecordBatchesOptions, RecordBatches, zeroUuid } from "@odradek/protocol";
import { ApiVersions } from "@odradek/protocol/messages/api-versions";
import { Metadata } from "@odradek/protocol/messages/metadata";
import { Produce, type ProduceResponse } from "@odradek/protocol/messages/produce";
import { SaslAuthenticate } from "@odradek/protocol/messages/sasl-authenticate";
import { SaslHandshake } from "@odradek/protocol/messages/sasl-handshake";
import { frameOf, type PeerConnection, type PeerRequest, ScriptedPeer } from "../../network/test/scripted-peer.ts";

import { ScriptedCoordinator } from "./scripted-coordinator.ts";

type PartitionAnswer = ProduceResponse["responses"][number]["partitionResponses"][number];

/** What one partition got in a Produce request. */
export interface ProducedBatch {
  readonly topic: string;
  readonly partition: number;
  readonly values: readonly (string | null)[];
  readonly compression: CompressionType;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly baseSequence: number;
}

/** The answers of one connection, which go out in the order of the requests, whatever is answered first. */
class Answers {
  readonly #queue: { bytes: Buffer | null }[] = [];
  readonly #connection: PeerConnection;

  constructor(connection: PeerConnection) {
    this.#connection = connection;
  }

  /** Keeps a place, and gives what fills it. */
  place(): (bytes: Buffer) => void {
    const place: { bytes: Buffer | null } = { bytes: null };
    this.#queue.push(place);
    return (bytes) => {
      place.bytes = bytes;
      for (let head = this.#queue[0]; head?.bytes; head = this.#queue[0]) {
        this.#connection.write(head.bytes);
        this.#queue.shift();
      }
    };
  }
}

/** A Produce request as it came; the test decides what becomes of it. */
export class ProduceCall {
  readonly acks: number;
  /** How long the replicas may take. */
  readonly timeoutMs: number;
  readonly version: number;
  readonly batches: readonly ProducedBatch[];
  readonly connection: PeerConnection;
  /** `producerId/epoch: baseSequence` of each batch. */
  readonly sequences: readonly string[];
  readonly #request: PeerRequest;
  readonly #reply: (bytes: Buffer) => void;
  readonly #topics: readonly { readonly name: string; readonly topicId: string }[];

  constructor(connection: PeerConnection, request: PeerRequest, topicName: string, reply: (bytes: Buffer) => void) {
    const { acks, timeoutMs, topicData } = request.body(Produce);
    this.connection = connection;
    this.acks = acks;
    this.timeoutMs = timeoutMs;
    this.version = request.apiVersion;
    this.#request = request;
    this.#reply = reply;
    this.#topics = topicData.map(({ name, topicId }) => ({ name, topicId }));
    this.batches = topicData.flatMap(({ partitionData }) =>
      partitionData.map(({ index, records }) => ({ topic: topicName, partition: index, ...contentOf(records) })),
    );
    this.sequences = this.batches.map(
      ({ producerId, producerEpoch, baseSequence }) => `${producerId}/${producerEpoch}: ${baseSequence}`,
    );
  }

  /** Answers for every partition, or leaves those out for which `answerOf` gives `null`. */
  answer(
    answerOf: (batch: ProducedBatch) => Partial<PartitionAnswer> | null,
    nodeEndpoints: ProduceResponse["nodeEndpoints"] = [],
  ): void {
    const partitionResponses = this.batches.flatMap((batch) => {
      const answer = answerOf(batch);
      return answer === null
        ? []
        : [{ index: batch.partition, errorCode: 0, baseOffset: 0n, recordErrors: [], ...answer }];
    });
    const [topic] = this.#topics;
    const responses = topic === undefined ? [] : [{ ...topic, partitionResponses }];
    this.#reply(frameOf(this.#request, Produce, { responses, nodeEndpoints }));
  }
}

export interface ScriptedBrokerOptions {
  readonly topic?: string;
  readonly partitions?: number;
  /** The zero UUID for a broker that is older than topic ids. */
  readonly topicId?: string;
  /** Error of the topic in every Metadata answer. */
  readonly topicErrorCode?: number;
  /** Whether Metadata is answered. */
  readonly isSilent?: boolean;
  /** Who leads the partitions by each Metadata answer, the last one for good; this broker's id is 1. */
  readonly leaderIds?: readonly number[];
  /** Port of the broker that leads the partitions, on this machine. @default this one */
  readonly leaderPort?: number;
  /** What a client that wants to authenticate is told. @default 0, it may */
  readonly saslErrorCode?: number;
  /** Where to listen. @default a free port */
  readonly port?: number;
  /** Gives ids, and coordinates transactions and groups. */
  readonly coordinator?: ScriptedCoordinator;
}

/**
 * A broker over real TCP that leads every partition of one topic. It answers ApiVersions and Metadata by itself; Produce
 * requests wait until the test asks for them.
 */
export class ScriptedBroker {
  readonly bootstrapServers: readonly string[];
  /** Topics of each Metadata request so far. */
  readonly metadataQuestions: string[][] = [];
  readonly #calls: ProduceCall[] = [];
  readonly #waiting: ((call: ProduceCall) => void)[] = [];
  readonly #options: Required<ScriptedBrokerOptions>;
  readonly #peer: ScriptedPeer;

  private constructor(peer: ScriptedPeer, options: Required<ScriptedBrokerOptions>) {
    this.#peer = peer;
    this.#options = options;
    this.bootstrapServers = [`127.0.0.1:${peer.address.port}`];
  }

  static async listen(options: ScriptedBrokerOptions = {}): Promise<ScriptedBroker> {
    const peer = await ScriptedPeer.listen((connection) => broker.#serve(connection), options.port);
    const broker = new ScriptedBroker(peer, {
      topic: "orders",
      partitions: 1,
      topicId: "AAAAAAAAAAAAAAAAAAAAAQ",
      topicErrorCode: 0,
      isSilent: false,
      leaderIds: [1],
      saslErrorCode: 0,
      leaderPort: peer.address.port,
      coordinator: new ScriptedCoordinator(),
      port: peer.address.port,
      ...options,
    });
    return broker;
  }

  /** Connections that were made so far. */
  get connectionCount(): number {
    return this.#peer.connections.length;
  }

  /** Produce requests that came and were not asked for yet. */
  get waitingCalls(): number {
    return this.#calls.length;
  }

  /** The next Produce request. */
  nextCall(): Promise<ProduceCall> {
    const call = this.#calls.shift();
    return call !== undefined ? Promise.resolve(call) : new Promise((resolve) => this.#waiting.push(resolve));
  }

  async #serve(connection: PeerConnection): Promise<void> {
    const answers = new Answers(connection);
    for (;;) {
      const request = await connection.next();
      const reply = answers.place();
      if (request.apiKey === ApiVersions.key) reply(this.#apiVersions(request));
      else if (request.apiKey === SaslHandshake.key) {
        const mechanisms = [request.body(SaslHandshake).mechanism];
        reply(frameOf(request, SaslHandshake, { errorCode: this.#options.saslErrorCode, mechanisms }));
      } else if (request.apiKey === SaslAuthenticate.key) {
        reply(frameOf(request, SaslAuthenticate, { errorCode: 0, errorMessage: null, authBytes: Buffer.alloc(0) }));
      } else if (this.#options.coordinator.knows(request.apiKey)) {
        void this.#options.coordinator.answer(request, connection, this.#peer.address, reply);
      } else if (request.apiKey === Produce.key)
        this.#take(new ProduceCall(connection, request, this.#options.topic, reply));
      else if (request.apiKey !== Metadata.key) throw new Error(`api key ${request.apiKey} is not in the script`);
      else this.#answerMetadata(request, reply);
    }
  }

  #take(call: ProduceCall): void {
    this.#options.coordinator.asked.push(`Produce ${call.sequences}`);
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#calls.push(call);
    else waiting(call);
  }

  #apiVersions(request: PeerRequest): Buffer {
    const { versions, features } = this.#options.coordinator;
    const apis = [Produce, Metadata, ApiVersions, SaslHandshake, SaslAuthenticate];
    const apiKeys = apis.map(({ key, versions: [minVersion, maxVersion] }) => ({
      apiKey: key,
      minVersion,
      maxVersion,
    }));
    return frameOf(request, ApiVersions, { errorCode: 0, apiKeys: [...apiKeys, ...versions], ...features });
  }

  #answerMetadata(request: PeerRequest, reply: (bytes: Buffer) => void): void {
    const names = (request.body(Metadata).topics ?? []).flatMap(({ name }) => name ?? []);
    this.metadataQuestions.push(names);
    if (this.#options.isSilent) return;
    const { port, leaderPort } = this.#options;
    const leader = { nodeId: 1, host: "127.0.0.1", port: leaderPort };
    const brokers = port === leaderPort ? [leader] : [leader, { nodeId: 2, host: "127.0.0.1", port }];
    const topics = names.map((name) => this.#topicMetadata(name));
    reply(frameOf(request, Metadata, { brokers, controllerId: 1, topics }));
  }

  #topicMetadata(name: string) {
    const { topic, partitions, topicId, topicErrorCode, leaderIds } = this.#options;
    const isKnown = name === topic && topicErrorCode === 0;
    const unknown = 3;
    return {
      errorCode: name === topic ? topicErrorCode : unknown,
      name,
      topicId: isKnown ? topicId : zeroUuid,
      partitions: Array.from({ length: isKnown ? partitions : 0 }, (_, partitionIndex) => ({
        errorCode: 0,
        partitionIndex,
        leaderId: leaderIds[this.metadataQuestions.length - 1] ?? leaderIds.at(-1) ?? 1,
        leaderEpoch: 0,
        replicaNodes: [1],
        isrNodes: [1],
        offlineReplicas: [],
      })),
    };
  }
}

function contentOf(records: Buffer | null): Omit<ProducedBatch, "topic" | "partition"> {
  const [batch] = new RecordBatches(records ?? Buffer.alloc(0), defaultRecordBatchesOptions);
  if (batch === undefined) throw new Error("a partition without a batch");
  const { producerId, producerEpoch, baseSequence, compression } = batch;
  const values = Array.from(batch, ({ value }) => value?.toString() ?? null);
  return { values, compression, producerId, producerEpoch, baseSequence };
}
