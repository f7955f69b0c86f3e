import { UnsupportedVersionError, type VersionBounds } from "@odradek/protocol";

/** What of InitProducerId two-phase commit takes (KIP-939). It is not stable yet, so that brokers offer it only when told to. */
export const twoPhaseBounds: VersionBounds = Object.freeze({ oldest: 6, newest: 6 });

/** For messages about requests that are refused: who may do it is up to a property and to a right. */
export const twoPhaseText =
  "with two-phase commit, for which the broker needs transaction.two.phase.commit.enable=true " +
  "and the principal the right TWO_PHASE_COMMIT";

/** A coordinator that does not offer the version. */
export const lacksTwoPhaseCommit = (nodeId: number | "any", transactionalId: string, { message }: Error) =>
  new UnsupportedVersionError(
    `broker ${nodeId}, the coordinator of ${transactionalId}, does not offer two-phase commit (${message}): ` +
      "set unstable.api.versions.enable=true and transaction.two.phase.commit.enable=true on every broker",
  );

/** One that offers the version, and does not have what it is for: up to Kafka 4.4 they abort, and keep nothing. */
export const cannotKeepPrepared = (nodeId: number | "any", transactionalId: string) =>
  new UnsupportedVersionError(
    `broker ${nodeId}, the coordinator of ${transactionalId}, cannot keep a prepared transaction, and has left it as it is: ` +
      "end it with the producer that prepared it, or have it aborted by initTransactions without keepPreparedTransaction",
  );
