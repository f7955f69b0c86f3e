import { type BrokerErrorName, codeOf } from "@odradek/protocol";
import { AddOffsetsToTxn } from "@odradek/protocol/messages/add-offsets-to-txn";
import { AddPartitionsToTxn } from "@odradek/protocol/messages/add-partitions-to-txn";
import { EndTxn } from "@odradek/protocol/messages/end-txn";
import { FindCoordinator } from "@odradek/protocol/messages/find-coordinator";
import { InitProducerId } from "@odradek/protocol/messages/init-producer-id";
import { TxnOffsetCommit } from "@odradek/protocol/messages/txn-offset-commit";
import type { Address } from "../../network/src/errors.ts";
import { frameOf, type PeerConnection, type PeerRequest } from "../../network/test/scripted-peer.ts";

const apis = [FindCoordinator, InitProducerId, AddPartitionsToTxn, AddOffsetsToTxn, TxnOffsetCommit, EndTxn];

export type CoordinatorApi =
  | "FindCoordinator"
  | "InitProducerId"
  | "AddPartitionsToTxn"
  | "AddOffsetsToTxn"
  | "TxnOffsetCommit"
  | "EndTxn";

const throttleTimeMs = 0;

/** What becomes of a request that does not go well. */
export type Mishap =
  | BrokerErrorName
  /** The connection ends. */
  | "closed"
  /** It is carried out, and the answer is lost. */
  | "unheard"
  /** Answered when the test says so. */
  | Promise<void>;

export interface ScriptedCoordinatorOptions {
  /** What the cluster has settled on. @default 1 */
  readonly transactionVersion?: 1 | 2;
  /** The newest version of InitProducerId: epochs can be raised from 3 on, two-phase commit is 6. @default 5 */
  readonly initProducerId?: number;
  /** Under which a transaction is open that a producer before has prepared. @default none is */
  readonly ongoing?: { readonly producerId: bigint; readonly producerEpoch: number } | null;
  /** Epoch of the first id that is given. @default 0 */
  readonly firstEpoch?: number;
}

/** Coordinates everything, and writes down what it was asked, in order. */
export class ScriptedCoordinator {
  /** Every request, in words. */
  readonly asked: string[] = [];
  readonly #options: Required<ScriptedCoordinatorOptions>;
  readonly #mishaps = new Map<CoordinatorApi, Mishap[]>();
  #producer: { producerId: bigint; producerEpoch: number } | null = null;

  constructor(options: ScriptedCoordinatorOptions = {}) {
    this.#options = { transactionVersion: 1, initProducerId: 5, firstEpoch: 0, ongoing: null, ...options };
  }

  get versions(): readonly { readonly apiKey: number; readonly minVersion: number; readonly maxVersion: number }[] {
    const { initProducerId } = this.#options;
    return apis.map(({ key, versions: [minVersion, maxVersion] }) => ({
      apiKey: key,
      minVersion,
      maxVersion: key === InitProducerId.key ? initProducerId : maxVersion,
    }));
  }

  /** For the answer to ApiVersions. */
  get features() {
    const level = this.#options.transactionVersion;
    const finalizedFeatures = [{ name: "transaction.version", maxVersionLevel: level, minVersionLevel: level }];
    return { finalizedFeaturesEpoch: 1n, finalizedFeatures };
  }

  /** The next requests of an API do not go well, one after the other. */
  spoil(api: CoordinatorApi, ...mishaps: readonly Mishap[]): void {
    this.#mishaps.set(api, [...(this.#mishaps.get(api) ?? []), ...mishaps]);
  }

  knows(apiKey: number): boolean {
    return apis.some(({ key }) => key === apiKey);
  }

  async answer(
    request: PeerRequest,
    connection: PeerConnection,
    address: Address,
    reply: (bytes: Buffer) => void,
  ): Promise<void> {
    const name = apis.find(({ key }) => key === request.apiKey)?.name as CoordinatorApi;
    const mishap = this.#mishaps.get(name)?.shift();
    const error = typeof mishap === "string" && mishap !== "closed" && mishap !== "unheard" ? mishap : "NONE";
    const bytes = this.#carryOut(request, address, error, mishap === "closed");
    if (mishap === "closed" || mishap === "unheard") connection.reset();
    else {
      await mishap;
      reply(bytes);
    }
  }

  #note(what: string, error: BrokerErrorName): void {
    this.asked.push(error === "NONE" ? what : `${what}: ${error}`);
  }

  #carryOut(request: PeerRequest, address: Address, error: BrokerErrorName, isLost: boolean): Buffer {
    const errorCode = codeOf(error);
    const isGood = errorCode === 0 && !isLost;
    switch (request.apiKey) {
      case FindCoordinator.key: {
        const { key, keyType, coordinatorKeys } = request.body(FindCoordinator);
        const keys = coordinatorKeys.length > 0 ? coordinatorKeys : [key];
        this.#note(`FindCoordinator ${keyType === 1 ? "transaction" : "group"} ${keys}`, error);
        const found = { nodeId: errorCode === 0 ? 1 : -1, ...address, errorCode, errorMessage: null };
        const coordinators = keys.map((one) => ({ key: one, ...found }));
        return frameOf(request, FindCoordinator, request.apiVersion < 4 ? found : { coordinators });
      }
      case InitProducerId.key: {
        const { producerId, producerEpoch, enable2Pc, keepPreparedTxn } = request.body(InitProducerId);
        const flags = `${enable2Pc ? " 2pc" : ""}${keepPreparedTxn ? " keep" : ""}`;
        const twoPhase = request.apiVersion >= 6 ? ` v${request.apiVersion}${flags}` : "";
        const after = producerId < 0n ? "" : ` after ${producerId}/${producerEpoch}`;
        this.#note(`InitProducerId${twoPhase}${after}`, error);
        if (isGood) this.#bump();
        const given = isGood ? this.#given() : { producerId: -1n, producerEpoch: -1 };
        const { ongoing } = this.#options;
        const kept =
          isGood && keepPreparedTxn && ongoing !== null
            ? { ongoingTxnProducerId: ongoing.producerId, ongoingTxnProducerEpoch: ongoing.producerEpoch }
            : {};
        return frameOf(request, InitProducerId, { throttleTimeMs, errorCode, ...given, ...kept });
      }
      case AddPartitionsToTxn.key: {
        const { v3AndBelowTopics } = request.body(AddPartitionsToTxn);
        const names = v3AndBelowTopics.flatMap(({ name, partitions }) => partitions.map((one) => `${name}-${one}`));
        this.#note(`AddPartitionsToTxn ${names.join(" ")}`, error);
        const resultsByTopicV3AndBelow = v3AndBelowTopics.map(({ name, partitions }) => ({
          name,
          // The last one is what is wrong, and has the others not tried.
          resultsByPartition: partitions.map((partitionIndex, index) => ({
            partitionIndex,
            partitionErrorCode:
              errorCode !== 0 && index < partitions.length - 1 ? codeOf("OPERATION_NOT_ATTEMPTED") : errorCode,
          })),
        }));
        return frameOf(request, AddPartitionsToTxn, { throttleTimeMs, resultsByTopicV3AndBelow });
      }
      case AddOffsetsToTxn.key:
        this.#note(`AddOffsetsToTxn ${request.body(AddOffsetsToTxn).groupId}`, error);
        return frameOf(request, AddOffsetsToTxn, { throttleTimeMs, errorCode });
      case TxnOffsetCommit.key: {
        const { groupId, topics } = request.body(TxnOffsetCommit);
        const offsets = topics.flatMap(({ name, partitions }) =>
          partitions.map(({ partitionIndex, committedOffset }) => `${name}-${partitionIndex}@${committedOffset}`),
        );
        this.#note(`TxnOffsetCommit v${request.apiVersion} ${groupId} ${offsets.join(" ")}`, error);
        return frameOf(request, TxnOffsetCommit, {
          throttleTimeMs,
          topics: topics.map(({ name, partitions }) => ({
            name,
            // Only the last one fails.
            partitions: partitions.map(({ partitionIndex }, index) => ({
              partitionIndex,
              errorCode: index < partitions.length - 1 ? 0 : errorCode,
            })),
          })),
        });
      }
      default: {
        const { committed, producerId, producerEpoch } = request.body(EndTxn);
        this.#note(`EndTxn ${committed ? "commit" : "abort"} ${producerId}/${producerEpoch}`, error);
        if (isGood && request.apiVersion >= 5) this.#bump();
        return frameOf(request, EndTxn, { throttleTimeMs, errorCode, ...(isGood ? this.#given() : {}) });
      }
    }
  }

  #given(): { producerId: bigint; producerEpoch: number } {
    if (this.#producer === null) throw new Error("no id was given");
    return this.#producer;
  }

  #bump(): void {
    const lastEpoch = 0x7fff;
    const { firstEpoch } = this.#options;
    const current = this.#producer;
    if (current === null) this.#producer = { producerId: 1_000n, producerEpoch: firstEpoch };
    else if (current.producerEpoch >= lastEpoch) {
      this.#producer = { producerId: current.producerId + 1n, producerEpoch: 0 };
    } else this.#producer = { ...current, producerEpoch: current.producerEpoch + 1 };
  }
}
