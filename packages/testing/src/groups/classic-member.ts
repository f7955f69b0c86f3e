import type { BrokerErrorName } from "@odradek/protocol";
import type { Timer } from "../clock.ts";

/** One way to divide partitions, and what the member has to say for it. */
export interface MemberProtocol {
  readonly name: string;
  readonly metadata: Buffer;
}

/** What JoinGroup is answered with. */
export interface JoinResult {
  readonly error: BrokerErrorName | null;
  readonly generationId: number;
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly leader: string;
  readonly skipAssignment: boolean;
  readonly memberId: string;
  /** Empty for all but the leader. */
  readonly members: readonly {
    readonly memberId: string;
    readonly groupInstanceId: string | null;
    readonly metadata: Buffer;
  }[];
}

/** What SyncGroup is answered with. */
export interface SyncResult {
  readonly error: BrokerErrorName | null;
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly assignment: Buffer;
}

export const noAssignment: Buffer = Buffer.alloc(0);

export const joinRefused = (error: BrokerErrorName, memberId: string): JoinResult => ({
  error,
  generationId: -1,
  protocolType: null,
  protocolName: null,
  leader: "",
  skipAssignment: false,
  memberId,
  members: [],
});

export const syncRefused = (error: BrokerErrorName): SyncResult => ({
  error,
  protocolType: null,
  protocolName: null,
  assignment: noAssignment,
});

export interface MemberSettings {
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly protocols: readonly MemberProtocol[];
}

/** A member of a classic group. */
export class ClassicMember {
  readonly memberId: string;
  settings: MemberSettings;
  assignment: Buffer = noAssignment;
  /** Rings when the member was silent for too long. */
  session: Timer | null = null;
  #join: ((result: JoinResult) => void) | null = null;
  #sync: ((result: SyncResult) => void) | null = null;

  constructor(memberId: string, settings: MemberSettings) {
    this.memberId = memberId;
    this.settings = settings;
  }

  get isAwaitingJoin(): boolean {
    return this.#join !== null;
  }

  get isAwaitingSync(): boolean {
    return this.#sync !== null;
  }

  /** A JoinGroup that came before and was not answered yet is given up: the client has lost its answer. */
  awaitJoin(): Promise<JoinResult> {
    this.answerJoin(joinRefused("UNKNOWN_MEMBER_ID", this.memberId));
    return new Promise((resolve) => {
      this.#join = resolve;
    });
  }

  answerJoin(result: JoinResult): void {
    const answer = this.#join;
    this.#join = null;
    answer?.(result);
  }

  awaitSync(): Promise<SyncResult> {
    this.answerSync(syncRefused("REBALANCE_IN_PROGRESS"));
    return new Promise((resolve) => {
      this.#sync = resolve;
    });
  }

  answerSync(result: SyncResult): void {
    const answer = this.#sync;
    this.#sync = null;
    answer?.(result);
  }

  metadataOf(protocol: string): Buffer {
    return this.settings.protocols.find(({ name }) => name === protocol)?.metadata ?? noAssignment;
  }

  supports(protocol: string): boolean {
    return this.settings.protocols.some(({ name }) => name === protocol);
  }

  /** Whether what the member says of itself has not changed. */
  hasProtocols(protocols: readonly MemberProtocol[]): boolean {
    const own = this.settings.protocols;
    return (
      own.length === protocols.length &&
      own.every(({ name, metadata }, index) => {
        const other = protocols[index];
        return other !== undefined && other.name === name && other.metadata.equals(metadata);
      })
    );
  }
}
