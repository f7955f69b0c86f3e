import { once } from "node:events";
import { connect, type Socket } from "node:net";
import {
  type Api,
  codeOf,
  correlationIdOf,
  decodeResponse,
  encodeRequest,
  type Fields,
  noProducerState,
  type Output,
  type ProducerState,
  RecordBatchBuilder,
} from "@odradek/protocol";
import { CreateTopics } from "@odradek/protocol/messages/create-topics";
import { FindCoordinator } from "@odradek/protocol/messages/find-coordinator";
import { ListOffsets } from "@odradek/protocol/messages/list-offsets";
import { Metadata } from "@odradek/protocol/messages/metadata";

const patienceMs = 30_000;
const pauseMs = 20;

interface Waiter {
  readonly resolve: (payload: Buffer) => void;
  readonly reject: (error: Error) => void;
}

/** A connection that sends what it is told and gives each answer to who asked, as no client would. */
class RawConnection {
  readonly #socket: Socket;
  readonly #waiters = new Map<number, Waiter>();
  #received = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("error", () => {});
    socket.on("close", () => {
      for (const { reject } of this.#waiters.values()) reject(new Error("the broker closed the connection"));
      this.#waiters.clear();
    });
  }

  static async open(port: number, host: string): Promise<RawConnection> {
    const socket = connect({ port, host, noDelay: true });
    await once(socket, "connect");
    return new RawConnection(socket);
  }

  send(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  answerTo(correlationId: number): Promise<Buffer> {
    return new Promise((resolve, reject) => this.#waiters.set(correlationId, { resolve, reject }));
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    while (this.#received.length >= 4 && this.#received.length >= 4 + this.#received.readInt32BE(0)) {
      const end = 4 + this.#received.readInt32BE(0);
      const payload = this.#received.subarray(4, end);
      this.#received = this.#received.subarray(end);
      const correlationId = correlationIdOf(payload);
      this.#waiters.get(correlationId)?.resolve(payload);
      this.#waiters.delete(correlationId);
    }
  }
}

let serial = 0;

/** A name that nothing else has. */
export const newName = (): string => `suite-${process.pid}-${Date.now()}-${serial++}`;

/** One topic of a case. */
export interface RawTopic {
  readonly name: string;
  readonly id: string;
}

/** A request as it is written. */
export type RawRequest<A extends Api> =
  A extends Api<infer Req, Fields> ? Parameters<typeof encodeRequest<Req>>[3] : never;
type Response<A extends Api> = A extends Api<Fields, infer Res> ? Output<Res> : never;

/** A cluster as the cases of the suite see it: requests go to the broker that they name, and answers are as they came. */
export class RawKafka {
  readonly #bootstrap: string;
  readonly #addresses = new Map<number, { readonly host: string; readonly port: number }>();
  readonly #connections = new Map<string, Promise<RawConnection>>();
  #correlationId = 0;

  private constructor(bootstrap: string) {
    this.#bootstrap = bootstrap;
  }

  static async connect(bootstrapServers: readonly string[]): Promise<RawKafka> {
    const kafka = new RawKafka(bootstrapServers[0] ?? "");
    const { brokers } = await kafka.ask(Metadata, 12, { topics: [] });
    for (const { nodeId, host, port } of brokers) kafka.#addresses.set(nodeId, { host, port });
    return kafka;
  }

  get brokerIds(): number[] {
    return [...this.#addresses.keys()].sort((a, b) => a - b);
  }

  async close(): Promise<void> {
    for (const connection of this.#connections.values()) (await connection).close();
  }

  /**
   * Asks a broker, by default one of the bootstrap servers.
   *
   * @param lane requests of different lanes do not wait for one another
   */
  async ask<A extends Api>(
    api: A,
    version: number,
    body: RawRequest<A>,
    brokerId = -1,
    lane = "",
  ): Promise<Response<A>> {
    const connection = await this.#connection(brokerId, lane);
    this.#correlationId += 1;
    const correlationId = this.#correlationId;
    const { chunks } = encodeRequest<Fields>(api, version, { correlationId, clientId: "suite" }, body);
    const answer = connection.answerTo(correlationId);
    connection.send(Buffer.concat(chunks));
    return decodeResponse<Fields>(api, version, await answer) as Response<A>;
  }

  /** Sends what has no answer. */
  async tell<A extends Api>(api: A, version: number, body: RawRequest<A>, brokerId: number): Promise<void> {
    const connection = await this.#connection(brokerId, "");
    const { chunks } = encodeRequest<Fields>(api, version, { correlationId: 0, clientId: "suite" }, body);
    connection.send(Buffer.concat(chunks));
  }

  /** A new topic, each of its partitions led. */
  async topic(
    partitions = 1,
    configs: Readonly<Record<string, string>> = {},
    replicationFactor = 1,
  ): Promise<RawTopic> {
    const name = newName();
    const wanted = {
      ...{ name, numPartitions: partitions, replicationFactor, assignments: [] },
      configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
    };
    const { topics } = await this.ask(CreateTopics, 7, { topics: [wanted] });
    const [created] = topics;
    if (created?.errorCode !== 0) throw new Error(`${name} was not created: ${created?.errorMessage}`);
    // Every broker has to know of it, for those that are not its leader to say so; and who leads has to have begun.
    for (const id of this.brokerIds) await this.#leader(name, partitions - 1, id);
    for (let partition = 0; partition < partitions; partition++) {
      const leader = await this.leaderOf(name, partition);
      const request = {
        replicaId: -1,
        isolationLevel: 0,
        topics: [{ name, partitions: [{ partitionIndex: partition, timestamp: -1n }] }],
      };
      await this.eventually(
        () => this.ask(ListOffsets, 8, request, leader),
        ({ topics: [answer] }) => answer?.partitions[0]?.errorCode === 0,
      );
    }
    return { name, id: created.topicId };
  }

  leaderOf(topic: string, partition: number): Promise<number> {
    return this.#leader(topic, partition, -1);
  }

  /** A broker that does not lead the partition. */
  async otherThanLeader(topic: string, partition: number): Promise<number> {
    const leader = await this.leaderOf(topic, partition);
    return this.brokerIds.find((id) => id !== leader) ?? -1;
  }

  coordinatorOf(key: string, keyType = 0): Promise<number> {
    return this.eventually(
      () => this.ask(FindCoordinator, 4, { keyType, coordinatorKeys: [key] }),
      ({ coordinators }) => coordinators[0]?.errorCode === 0,
    ).then(({ coordinators }) => coordinators[0]?.nodeId ?? -1);
  }

  /** Asks again until the answer is one that lasts: a cluster takes a moment to agree on what it was told. */
  async eventually<T>(ask: () => Promise<T>, isSettled: (answer: T) => boolean): Promise<T> {
    const deadlineMs = performance.now() + patienceMs;
    for (;;) {
      const answer = await ask();
      if (isSettled(answer) || performance.now() > deadlineMs) return answer;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  #leader(topic: string, partition: number, brokerId: number): Promise<number> {
    return this.eventually(
      () => this.ask(Metadata, 12, { topics: [{ name: topic }], allowAutoTopicCreation: false }, brokerId),
      ({ topics }) => (topics[0]?.partitions.find((it) => it.partitionIndex === partition)?.leaderId ?? -1) >= 0,
    ).then(({ topics }) => topics[0]?.partitions.find((it) => it.partitionIndex === partition)?.leaderId ?? -1);
  }

  #connection(brokerId: number, lane: string): Promise<RawConnection> {
    const key = `${brokerId}/${lane}`;
    const known = this.#connections.get(key);
    if (known !== undefined) return known;
    const [host = "", port = ""] = this.#bootstrap.split(":");
    const address = this.#addresses.get(brokerId) ?? { host, port: Number(port) };
    const connection = RawConnection.open(address.port, address.host);
    this.#connections.set(key, connection);
    return connection;
  }
}

/** What a transient state of a cluster is answered with. */
export const transient: ReadonlySet<number> = new Set(
  (
    ["COORDINATOR_LOAD_IN_PROGRESS", "COORDINATOR_NOT_AVAILABLE", "NOT_COORDINATOR", "CONCURRENT_TRANSACTIONS"] as const
  ).map(codeOf),
);

export interface BatchOptions {
  readonly producer?: ProducerState;
  /** @default none */
  readonly key?: string;
  /** Of the first record, the others follow by 10 ms. @default now; a broker rolls segments, and forgets producers, by it */
  readonly timestamp?: number;
}

/** A batch of records with these values. */
export function batchOf(values: readonly (string | null)[], options: BatchOptions = {}): Buffer {
  const builder = new RecordBatchBuilder(
    Buffer.alloc(4096 + values.reduce((sum, value) => sum + (value?.length ?? 0) + 64, 0)),
  );
  const { producer = noProducerState, key = null, timestamp = Date.now() } = options;
  values.forEach((value, index) => {
    builder.append(timestamp + index * 10, key, value);
  });
  return Buffer.from(builder.close(producer));
}
