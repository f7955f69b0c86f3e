import { type BrokerError, type BrokerErrorName, brokerErrorByCode } from "@odradek/protocol";

/** What a member does about an error. */
export type Verdict =
  /** Joins again at once, as who it is. */
  | "rejoin"
  /** Joins again at once, under the id that the coordinator gave with the error. */
  | "takeId"
  /** Its place is lost: joins again at once, under the same id. */
  | "displaced"
  /** The group does not know it any more: joins again at once, as somebody new. */
  | "forgotten"
  /** The same a little later. */
  | "retry"
  /** The same, once it is known who the coordinator is. */
  | "findCoordinator"
  /** Asking again does not help: the user is told. */
  | "fatal"
  /** Another has taken its name: the user is told, and its place is lost. It joins under the same id, so as not to take the name back. */
  | "fenced";

/** The requests of a member. */
export type ClassicRequest = "JoinGroup" | "SyncGroup" | "Heartbeat";

const coordinatorMoved = {
  COORDINATOR_LOAD_IN_PROGRESS: "retry",
  COORDINATOR_NOT_AVAILABLE: "findCoordinator",
  NOT_COORDINATOR: "findCoordinator",
} as const;

/** What is not in it is fatal; of a heartbeat, which is not worth a place in the group, another one is sent. Source: the response handlers of Kafka's `AbstractCoordinator`. */
const verdicts: Readonly<Record<ClassicRequest, Readonly<Partial<Record<BrokerErrorName, Verdict>>>>> = Object.freeze({
  JoinGroup: {
    ...coordinatorMoved,
    FENCED_INSTANCE_ID: "fenced",
    MEMBER_ID_REQUIRED: "takeId",
    REBALANCE_IN_PROGRESS: "retry",
    UNKNOWN_MEMBER_ID: "forgotten",
  },
  SyncGroup: {
    ...coordinatorMoved,
    FENCED_INSTANCE_ID: "fenced",
    ILLEGAL_GENERATION: "displaced",
    REBALANCE_IN_PROGRESS: "rejoin",
    UNKNOWN_MEMBER_ID: "forgotten",
  },
  Heartbeat: {
    ...coordinatorMoved,
    FENCED_INSTANCE_ID: "fenced",
    GROUP_AUTHORIZATION_FAILED: "fatal",
    ILLEGAL_GENERATION: "displaced",
    REBALANCE_IN_PROGRESS: "rejoin",
    UNKNOWN_MEMBER_ID: "forgotten",
  },
});

export const classicVerdict = (request: ClassicRequest, { errorCode }: BrokerError): Verdict =>
  verdicts[request][brokerErrorByCode(errorCode).name] ?? (request === "Heartbeat" ? "retry" : "fatal");
