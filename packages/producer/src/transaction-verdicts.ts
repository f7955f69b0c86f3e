import { BrokerError, type BrokerErrorName, brokerErrorByCode, codeOf, type KafkaError } from "@odradek/protocol";

/** What an error in an answer to a transactional request means for the producer. */
export type Verdict =
  /** The same request may succeed after a back-off. */
  | "retry"
  /** The same, once it is known who coordinates now. */
  | "findCoordinator"
  /** The transaction cannot be committed; the producer goes on after `abortTransaction`. */
  | "abortable"
  /** The same, as long as the epoch can be raised afterwards. */
  | "abortableByBump"
  /** The producer cannot go on. */
  | "fatal";

type Verdicts = Readonly<Partial<Record<BrokerErrorName, Verdict>>>;

/** Of every transactional request, where its own row says nothing else. */
const everywhere: Verdicts = {
  COORDINATOR_NOT_AVAILABLE: "findCoordinator",
  NOT_COORDINATOR: "findCoordinator",
  CONCURRENT_TRANSACTIONS: "retry",
  INVALID_PRODUCER_EPOCH: "fatal",
  PRODUCER_FENCED: "fatal",
  INVALID_TXN_STATE: "fatal",
  INVALID_PRODUCER_ID_MAPPING: "fatal",
  UNKNOWN_PRODUCER_ID: "abortableByBump",
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: "fatal",
  CLUSTER_AUTHORIZATION_FAILED: "fatal",
  TRANSACTION_ABORTABLE: "abortable",
};

/** What differs by request. Source: the handlers of Kafka's `TransactionManager`. */
const byRequest = {
  InitProducerId: {
    // Rights may be granted; `initTransactions` may be called again.
    TRANSACTIONAL_ID_AUTHORIZATION_FAILED: "abortable",
    CLUSTER_AUTHORIZATION_FAILED: "abortable",
    UNKNOWN_PRODUCER_ID: "fatal",
  },
  AddPartitionsToTxn: { CLUSTER_AUTHORIZATION_FAILED: "abortable" },
  AddOffsetsToTxn: { GROUP_AUTHORIZATION_FAILED: "abortable" },
  TxnOffsetCommit: {
    REQUEST_TIMED_OUT: "findCoordinator",
    UNKNOWN_PRODUCER_ID: "fatal",
    GROUP_AUTHORIZATION_FAILED: "abortable",
    FENCED_INSTANCE_ID: "abortable",
    UNKNOWN_MEMBER_ID: "abortable",
    ILLEGAL_GENERATION: "abortable",
    GROUP_ID_NOT_FOUND: "abortable",
    STALE_MEMBER_EPOCH: "abortable",
  },
  EndTxn: {},
} as const satisfies Record<string, Verdicts>;

export type TransactionalRequest = keyof typeof byRequest;

/** Of errors that no row names: of AddPartitionsToTxn they are about a partition, and not about the producer. */
const otherwise = (request: TransactionalRequest): Verdict =>
  request === "AddPartitionsToTxn" ? "abortable" : "fatal";

/** What an error means that a broker answered to a transactional request. */
export function verdictOf(request: TransactionalRequest, errorCode: number): Verdict {
  const { name, retriable } = brokerErrorByCode(errorCode);
  const own: Verdicts = byRequest[request];
  return own[name] ?? everywhere[name] ?? (retriable ? "retry" : otherwise(request));
}

/** What one part of an answer says, such as a partition's; an error that is 0 is none. */
export interface PartialAnswer {
  readonly errorCode: number;
  /** What was asked, for messages. */
  readonly about: string;
}

/** What an answer means, and why. */
export interface Finding {
  readonly verdict: Verdict;
  readonly cause: KafkaError;
}

const severity: Readonly<Record<Verdict, number>> = {
  retry: 0,
  findCoordinator: 1,
  abortableByBump: 2,
  abortable: 3,
  fatal: 4,
};

const invalidProducerEpoch = codeOf("INVALID_PRODUCER_EPOCH");
const producerFenced = codeOf("PRODUCER_FENCED");

/** What an answer means of which each part has an error of its own: the worst of them. `null` where there is none. */
export function findingOf(request: TransactionalRequest, answers: readonly PartialAnswer[]): Finding | null {
  let worst: Finding | null = null;
  for (const { errorCode, about } of answers) {
    if (errorCode === 0) continue;
    const verdict = verdictOf(request, errorCode);
    // A partition that was not tried, because of others, does not tell why.
    const isHidden = worst?.cause.code === "OPERATION_NOT_ATTEMPTED" && severity[verdict] === severity[worst.verdict];
    if (worst !== null && !isHidden && severity[verdict] <= severity[worst.verdict]) continue;
    // How coordinators before 2.7 say it.
    const code = errorCode === invalidProducerEpoch ? producerFenced : errorCode;
    worst = { verdict, cause: new BrokerError(code, about) };
  }
  return worst;
}

const fatalInProduce: ReadonlySet<string> = new Set<BrokerErrorName>([
  "CLUSTER_AUTHORIZATION_FAILED",
  "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
  "PRODUCER_FENCED",
  "UNSUPPORTED_VERSION",
  "INVALID_PRODUCER_ID_MAPPING",
]);

/** Whether the producer itself cannot go on after this error of a batch. */
export const endsProducer = ({ code }: KafkaError): boolean => fatalInProduce.has(code);

const ofCaller: ReadonlySet<string> = new Set(["OPTIONS", "SERIALIZATION", "STATE", "ABORTED", "CLOSED"]);

/** Whether an error is that of whoever called `send`, which says nothing about the transaction. */
export const isOfCaller = ({ code }: KafkaError): boolean => ofCaller.has(code);
