import { Codes } from "./codes.ts";

/** What one may be allowed to do, or denied. Source: Kafka's `AclOperation`. */
export type AclOperation =
  | "UNKNOWN"
  | "ANY"
  | "ALL"
  | "READ"
  | "WRITE"
  | "CREATE"
  | "DELETE"
  | "ALTER"
  | "DESCRIBE"
  | "CLUSTER_ACTION"
  | "DESCRIBE_CONFIGS"
  | "ALTER_CONFIGS"
  | "IDEMPOTENT_WRITE"
  | "CREATE_TOKENS"
  | "DESCRIBE_TOKENS"
  | "TWO_PHASE_COMMIT";

export const aclOperations = new Codes<AclOperation>(
  {
    UNKNOWN: 0,
    ANY: 1,
    ALL: 2,
    READ: 3,
    WRITE: 4,
    CREATE: 5,
    DELETE: 6,
    ALTER: 7,
    DESCRIBE: 8,
    CLUSTER_ACTION: 9,
    DESCRIBE_CONFIGS: 10,
    ALTER_CONFIGS: 11,
    IDEMPOTENT_WRITE: 12,
    CREATE_TOKENS: 13,
    DESCRIBE_TOKENS: 14,
    TWO_PHASE_COMMIT: 15,
  },
  "UNKNOWN",
);

/** How a broker says that it does not say. */
const notStated = -2_147_483_648;

/** What the caller may do with something, from the bits that a broker tells (KIP-430); `null` where it does not. */
export function authorizedOperations(bits: number): readonly AclOperation[] | null {
  if (bits === notStated) return null;
  return aclOperations.names.filter((name) => {
    const code = aclOperations.codeOf(name);
    return code > 1 && (bits & (1 << code)) !== 0;
  });
}
