import type { DeleteGroupsResult } from "../admin/groups.ts";
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
  groupId: string;
  errorCode: number;
  error: KafkaJSError;
}

export class KafkaJSDeleteGroupsError extends KafkaJSError {
  override readonly name: string = "KafkaJSDeleteGroupsError";
  declare readonly groups: DeleteGroupsResult[];

  constructor(source: ErrorSource, groups: KafkaJSDeleteGroupsErrorGroups[] = []) {
    super(source);
    Object.assign(this, { groups });
  }
}

/** kafkajs keeps it for itself, and exports it. */
export class KafkaJSFetcherRebalanceError extends Error {}
