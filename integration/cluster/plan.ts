import type { ClusterSecurity } from "./security/security.ts";
import { type KafkaVersion, releaseOf } from "./versions.ts";

/** What a cluster is to be, all defaults filled in. */
export interface ClusterPlan {
  readonly version: KafkaVersion;
  readonly brokers: number;
  /** Whether controllers may come and go (KIP-853): the first begins alone, and the others follow it without a vote. */
  readonly dynamicQuorum: boolean;
  /** Folders that each broker has for its logs. */
  readonly logDirs: number;
  readonly security: ClusterSecurity | undefined;
  /** Lines of `server.properties` for every broker, on top of the launcher's own. */
  readonly properties: Readonly<Record<string, string>>;
  /** Of every broker's JVM, on top of the launcher's own. */
  readonly jvmOptions: readonly string[];
}

export const hasKraft = ({ version }: ClusterPlan): boolean => releaseOf(version).quorum === "kraft";
