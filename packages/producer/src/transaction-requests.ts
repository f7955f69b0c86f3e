import {
  type Backoff,
  type Clock,
  Coordinators,
  type CoordinatorType,
  Deadline,
  exponentialBackoff,
  type NetworkClient,
  type OffsetToCommit,
  partitionText,
  type TopicPartition,
} from "@odradek/network";
import {
  type Api,
  BrokerError,
  codeOf,
  type Fields,
  type Input,
  KafkaError,
  type Output,
  UnsupportedVersionError,
  type VersionBounds,
} from "@odradek/protocol";
import { AddOffsetsToTxn } from "@odradek/protocol/messages/add-offsets-to-txn";
import { AddPartitionsToTxn } from "@odradek/protocol/messages/add-partitions-to-txn";
import { EndTxn } from "@odradek/protocol/messages/end-txn";
import { InitProducerId } from "@odradek/protocol/messages/init-producer-id";
import { TxnOffsetCommit } from "@odradek/protocol/messages/txn-offset-commit";
import type { ResolvedGroupMetadata } from "./group-metadata.ts";
import { hasId, noProducerId, type ProducerIdAndEpoch } from "./producer-id.ts";
import { TransactionRequestFailure } from "./transaction-request-failure.ts";
import {
  type Finding,
  findingOf,
  type PartialAnswer,
  type TransactionalRequest,
  type Verdict,
} from "./transaction-verdicts.ts";
import { cannotKeepPrepared, lacksTwoPhaseCommit, twoPhaseBounds, twoPhaseText } from "./two-phase-commit.ts";

export interface TransactionRequestsOptions {
  /** `null` for a producer that is only idempotent. */
  readonly transactionalId: string | null;
  readonly transactionTimeoutMs: number;
  readonly transactionTwoPhaseCommitEnable: boolean;
  readonly requestTimeoutMs: number;
  readonly retryBackoffMs: number;
  readonly retryBackoffMaxMs: number;
}

/** Whose transactions end with a new epoch each (KIP-890), as the cluster has settled on. */
export type TransactionVersion = 1 | 2;

/** The first partitions of a transaction may have to wait for the end of the one before, which takes moments. */
const concurrentBackoffMs = 20;

/** What is asked for an open transaction, and not to begin or to end one. */
const asksOfTransaction: ReadonlySet<TransactionalRequest> = new Set([
  "AddPartitionsToTxn",
  "AddOffsetsToTxn",
  "TxnOffsetCommit",
]);

/** The version of InitProducerId from which the epoch of a producer can be raised (KIP-360). */
const bumpableSince = 3;

/** An id, and what `keepPrepared` found. */
export interface InitializedProducer {
  readonly producer: ProducerIdAndEpoch;
  /** Under which the transaction goes that is open still; `noProducerId` where none is. */
  readonly ongoing: ProducerIdAndEpoch;
}

/** Whom to ask: the broker that coordinates something, or any. */
type Addressee = { readonly type: CoordinatorType; readonly key: string } | "any";

/**
 * What a producer asks the coordinators of its transactional id and of groups. Each is asked again until it has an answer
 * that counts; how long the caller waits for that is the caller's affair. Source: the handlers of Kafka's `TransactionManager`.
 */
export class TransactionRequests {
  readonly #client: NetworkClient;
  readonly #options: TransactionRequestsOptions;
  readonly #clock: Clock;
  readonly #coordinators: Coordinators;
  readonly #backoff: Backoff;
  readonly #closing = new AbortController();
  /** Ends what is asked for the open transaction. */
  #stopping = new AbortController();
  #canBumpEpoch = false;
  #haveUnanswered = false;

  constructor(client: NetworkClient, options: TransactionRequestsOptions, clock: Clock) {
    this.#client = client;
    this.#options = options;
    this.#clock = clock;
    this.#coordinators = new Coordinators(client, options, clock);
    this.#backoff = exponentialBackoff(options.retryBackoffMs, options.retryBackoffMaxMs);
  }

  /** Whether the epoch can be raised by asking, which brokers before 2.5 do not know. */
  get canBumpEpoch(): boolean {
    return this.#canBumpEpoch;
  }

  /**
   * Whether something had no answer that was asked for the last transaction, or to end it. It may yet reach the coordinator, and
   * end what has begun by then (KAFKA-17754), or begin what nobody ends. Asking begins the count anew.
   */
  takeUnanswered(): boolean {
    const haveUnanswered = this.#haveUnanswered;
    this.#haveUnanswered = false;
    return haveUnanswered;
  }

  /** What transactions are like in this cluster at the moment. */
  get transactionVersion(): TransactionVersion {
    return this.#client.featureLevel("transaction.version") >= 2 ? 2 : 1;
  }

  /**
   * Asks for an id, or for the next epoch of `current`.
   *
   * @throws TransactionRequestFailure, and ClosedError where the producer was closed meanwhile
   */
  async initProducerId(current: ProducerIdAndEpoch): Promise<ProducerIdAndEpoch> {
    return (await this.#initProducerId(current, false)).producer;
  }

  /**
   * Asks for an id, and has the coordinator leave a transaction open that was prepared under the id before.
   *
   * @throws TransactionRequestFailure, ClosedError
   */
  keepPrepared(): Promise<InitializedProducer> {
    return this.#initProducerId(noProducerId, true);
  }

  async #initProducerId(current: ProducerIdAndEpoch, keepPreparedTxn: boolean): Promise<InitializedProducer> {
    const { transactionalId, transactionTimeoutMs, transactionTwoPhaseCommitEnable: enable2Pc } = this.#options;
    const to: Addressee = transactionalId === null ? "any" : { type: "transaction", key: transactionalId };
    const isTwoPhase = transactionalId !== null && (enable2Pc || keepPreparedTxn);
    const bounds = isTwoPhase ? twoPhaseBounds : hasId(current) ? { oldest: bumpableSince } : {};
    const twoPhase = isTwoPhase ? { enable2Pc, keepPreparedTxn } : {};
    const about = isTwoPhase ? `${this.#about("InitProducerId")} ${twoPhaseText}` : this.#about("InitProducerId");
    let given: InitializedProducer = { producer: noProducerId, ongoing: noProducerId };
    await this.#until("InitProducerId", to, async (nodeId) => {
      const body = (version: number) => {
        this.#canBumpEpoch = version >= bumpableSince;
        const timeoutMs = transactionalId === null ? 0x7fff_ffff : transactionTimeoutMs;
        return { transactionalId, transactionTimeoutMs: timeoutMs, ...current, ...twoPhase };
      };
      const answer = await this.#ask(InitProducerId, body, nodeId, bounds).catch((error: unknown) => {
        if (!isTwoPhase || !(error instanceof UnsupportedVersionError)) throw error;
        throw lacksTwoPhaseCommit(nodeId, transactionalId, error);
      });
      const { errorCode, producerId, producerEpoch, ongoingTxnProducerId, ongoingTxnProducerEpoch } = answer;
      if (isTwoPhase && keepPreparedTxn && errorCode === unsupportedVersion) {
        throw cannotKeepPrepared(nodeId, transactionalId);
      }
      given = {
        producer: { producerId, producerEpoch },
        ongoing: { producerId: ongoingTxnProducerId, producerEpoch: ongoingTxnProducerEpoch },
      };
      return [{ errorCode, about }];
    });
    return given;
  }

  /** Tells the coordinator which partitions the transaction is about to write to. @throws TransactionRequestFailure, ClosedError */
  async addPartitions(producer: ProducerIdAndEpoch, partitions: readonly TopicPartition[]): Promise<void> {
    const transactionalId = this.#requireId();
    const topics = byTopic(partitions, ({ partition }) => partition);
    const request = {
      v3AndBelowTransactionalId: transactionalId,
      v3AndBelowProducerId: producer.producerId,
      v3AndBelowProducerEpoch: producer.producerEpoch,
      v3AndBelowTopics: topics,
      transactions: [],
    };
    const to: Addressee = { type: "transaction", key: transactionalId };
    await this.#until("AddPartitionsToTxn", to, async (nodeId) => {
      const answer = await this.#ask(AddPartitionsToTxn, request, nodeId, { newest: 3 });
      return answer.resultsByTopicV3AndBelow.flatMap(({ name, resultsByPartition }) =>
        resultsByPartition.map(({ partitionIndex: partition, partitionErrorCode: errorCode }) => ({
          errorCode,
          about: `AddPartitionsToTxn of ${partitionText({ topic: name, partition })}`,
        })),
      );
    });
  }

  /** Tells the coordinator that the transaction is about to commit offsets of a group. @throws TransactionRequestFailure, ClosedError */
  async addOffsets(producer: ProducerIdAndEpoch, groupId: string): Promise<void> {
    const transactionalId = this.#requireId();
    const to: Addressee = { type: "transaction", key: transactionalId };
    await this.#until("AddOffsetsToTxn", to, async (nodeId) => {
      const body = { transactionalId, ...producer, groupId };
      const { errorCode } = await this.#ask(AddOffsetsToTxn, body, nodeId);
      return [{ errorCode, about: `AddOffsetsToTxn of group ${groupId}` }];
    });
  }

  /** Gives a group's coordinator the offsets that count once the transaction commits. @throws TransactionRequestFailure, ClosedError */
  async commitOffsets(
    producer: ProducerIdAndEpoch,
    group: ResolvedGroupMetadata,
    offsets: readonly OffsetToCommit[],
    transactionVersion: TransactionVersion,
  ): Promise<void> {
    const transactionalId = this.#requireId();
    const isMember = group.generationId >= 0 || group.memberId !== "" || group.groupInstanceId !== null;
    const bounds = {
      ...(isMember ? { oldest: 3 } : {}),
      ...(transactionVersion === 2 ? { oldest: 5 } : { newest: 4 }),
    };
    let open = offsets;
    await this.#until("TxnOffsetCommit", { type: "group", key: group.groupId }, async (nodeId) => {
      const topics = byTopic(open, (offset) => ({
        partitionIndex: offset.partition,
        committedOffset: BigInt(offset.offset),
        committedLeaderEpoch: offset.leaderEpoch ?? -1,
        committedMetadata: offset.metadata ?? "",
      }));
      const body = { transactionalId, ...group, ...producer, topics };
      const answer = await this.#ask(TxnOffsetCommit, body, nodeId, bounds);
      const errors = new Map<string, number>();
      for (const { name: topic, partitions } of answer.topics) {
        for (const { partitionIndex: partition, errorCode } of partitions) {
          errors.set(partitionText({ topic, partition }), errorCode);
        }
      }
      const failed = open.filter((offset) => errors.get(partitionText(offset)) !== 0);
      open = failed;
      return failed.map((offset) => ({
        errorCode: errors.get(partitionText(offset)) ?? leftOut,
        about: `TxnOffsetCommit of ${partitionText(offset)} for group ${group.groupId}`,
      }));
    });
  }

  /**
   * Ends the transaction.
   *
   * @returns what to go on with, which is the same before transaction version 2
   * @throws TransactionRequestFailure, ClosedError
   */
  async endTransaction(
    producer: ProducerIdAndEpoch,
    committed: boolean,
    transactionVersion: TransactionVersion,
  ): Promise<ProducerIdAndEpoch> {
    const transactionalId = this.#requireId();
    const bounds = transactionVersion === 2 ? { oldest: 5 } : { newest: 4 };
    let next = producer;
    await this.#until("EndTxn", { type: "transaction", key: transactionalId }, async (nodeId) => {
      const body = { transactionalId, ...producer, committed };
      const { errorCode, producerId, producerEpoch } = await this.#ask(EndTxn, body, nodeId, bounds);
      if (transactionVersion === 2 && producerId >= 0n) next = { producerId, producerEpoch };
      return [{ errorCode, about: this.#about(committed ? "EndTxn (commit)" : "EndTxn (abort)") }];
    });
    return next;
  }

  /** Ends what is under way with this error, and asks for nothing more. */
  close(error: KafkaError): void {
    this.#closing.abort(error);
    this.#stopping.abort(error);
  }

  /**
   * Asks nothing again that belongs to the open transaction: what is under way fails at its next answer, unless that one
   * counts. It is waited for, so that no coordinator finds it behind the end of the transaction; the search for one is not.
   */
  stop(): void {
    this.#stopping.abort(new KafkaError("the transaction goes no further", { code: "TRANSACTION_ABORTED" }));
    this.#stopping = new AbortController();
  }

  /** Asks until the answer counts. @param ask one attempt */
  async #until(
    request: TransactionalRequest,
    to: Addressee,
    ask: (nodeId: number | "any") => Promise<readonly PartialAnswer[]>,
  ): Promise<void> {
    const { signal } = asksOfTransaction.has(request) ? this.#stopping : this.#closing;
    for (let attempt = 0; ; attempt++) {
      const { verdict, cause } = await this.#attempt(request, to, ask, signal);
      if (verdict === null) return;
      if (verdict !== "retry" && verdict !== "findCoordinator")
        throw new TransactionRequestFailure(request, verdict, cause);
      if (verdict === "findCoordinator" && to !== "any") this.#coordinators.forget(to.type, to.key);
      const isMoments = request === "AddPartitionsToTxn" && cause.code === "CONCURRENT_TRANSACTIONS";
      const pauseMs = isMoments ? Math.min(concurrentBackoffMs, this.#options.retryBackoffMs) : this.#backoff(attempt);
      if (await this.#isStopped(pauseMs, signal)) throw new TransactionRequestFailure(request, "abortable", cause);
    }
  }

  /** Waits before another attempt. @returns whether there is to be none */
  async #isStopped(pauseMs: number, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#client.pause(new Deadline(this.#clock, pauseMs), { signal });
    } catch (error) {
      if (this.#closing.signal.aborted || !signal.aborted) throw error;
    }
    return signal.aborted;
  }

  async #attempt(
    request: TransactionalRequest,
    to: Addressee,
    ask: (nodeId: number | "any") => Promise<readonly PartialAnswer[]>,
    signal: AbortSignal,
  ): Promise<Finding | { readonly verdict: null; readonly cause: null }> {
    try {
      const nodeId = to === "any" ? to : await this.#coordinator(to.type, to.key, signal);
      if (nodeId instanceof BrokerError) return { verdict: verdictOnCoordinator(nodeId), cause: nodeId };
      const answers = await ask(nodeId).catch((error: unknown) => {
        if (request !== "InitProducerId") this.#haveUnanswered = true;
        throw error;
      });
      return findingOf(request, answers) ?? { verdict: null, cause: null };
    } catch (error) {
      if (!(error instanceof KafkaError) || this.#closing.signal.aborted) throw error;
      // The search for the coordinator has ended with the transaction that it was for.
      if (error === signal.reason) return { verdict: "abortable", cause: error };
      return { verdict: error.retriable ? "findCoordinator" : "fatal", cause: error };
    }
  }

  async #coordinator(type: CoordinatorType, key: string, signal: AbortSignal): Promise<number | BrokerError> {
    const found = await this.#coordinators.find(type, [key], this.#deadline(), signal);
    return found.get(key) ?? new BrokerError(leftOut, `the coordinator of ${key}`);
  }

  #ask<Req extends Fields, Res extends Fields>(
    api: Api<Req, Res>,
    body: Input<Req> | ((version: number) => Input<Req>),
    to: number | "any",
    bounds: VersionBounds = {},
  ): Promise<Output<Res>> {
    const signal = this.#closing.signal;
    const purpose = to === "any" ? "main" : "coordinator";
    return this.#client.request(api, body, { to, purpose, deadline: this.#deadline(), signal, bounds });
  }

  #deadline(): Deadline {
    return new Deadline(this.#clock, this.#options.requestTimeoutMs);
  }

  #requireId(): string {
    const { transactionalId } = this.#options;
    if (transactionalId === null) throw new Error("a producer without transactionalId has no transactions");
    return transactionalId;
  }

  #about(request: string): string {
    const { transactionalId } = this.#options;
    return transactionalId === null ? request : `${request} of ${transactionalId}`;
  }
}

/** A broker that leaves something out of its answer does not know what it does: UNKNOWN_SERVER_ERROR. */
const leftOut = -1;

const unsupportedVersion = codeOf("UNSUPPORTED_VERSION");

/** Nobody may say who coordinates: of a group that ends the transaction, of the transactional id all of them. */
function verdictOnCoordinator({ code, retriable }: BrokerError): Verdict {
  if (retriable) return "findCoordinator";
  return code === "GROUP_AUTHORIZATION_FAILED" || code === "TRANSACTION_ABORTABLE" ? "abortable" : "fatal";
}

function byTopic<P extends TopicPartition, T>(
  partitions: readonly P[],
  itemOf: (partition: P) => T,
): { readonly name: string; readonly partitions: T[] }[] {
  const topics = new Map<string, T[]>();
  for (const partition of partitions) {
    const items = topics.get(partition.topic);
    if (items === undefined) topics.set(partition.topic, [itemOf(partition)]);
    else items.push(itemOf(partition));
  }
  return [...topics].map(([name, items]) => ({ name, partitions: items }));
}
