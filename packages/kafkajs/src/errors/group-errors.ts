import { type ErrorSource, KafkaJSError, KafkaJSNonRetriableError, KafkaJSProtocolError } from "./errors.ts";

export class KafkaJSGroupCoordinatorNotFound extends KafkaJSNonRetriableError {
  override readonly name: string = "KafkaJSGroupCoordinatorNotFound";
}

export class KafkaJSMemberIdRequired extends KafkaJSProtocolError {
  override readonly name: string = "KafkaJSMemberIdRequired";
  readonly memberId: string;

  constructor(source: ErrorSource, { memberId }: { readonly memberId: string }) {
    super(source);
    this.memberId = memberId;
  }
}

export interface KafkaJSDeleteGroupsErrorGroups {
  readonly groupId: string;
  readonly errorCode: number;
  readonly error: KafkaJSProtocolError;
}

export class KafkaJSDeleteGroupsError extends KafkaJSError {
  override readonly name: string = "KafkaJSDeleteGroupsError";
  readonly groups: readonly KafkaJSDeleteGroupsErrorGroups[];

  constructor(source: ErrorSource, groups: readonly KafkaJSDeleteGroupsErrorGroups[] = []) {
    super(source);
    this.groups = groups;
  }
}

/** kafkajs keeps it for itself, and exports it. */
export class KafkaJSFetcherRebalanceError extends Error {}
