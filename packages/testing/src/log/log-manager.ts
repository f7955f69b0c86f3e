import type { Clock, Timer } from "../clock.ts";
import { clean } from "./log-cleaner.ts";
import type { PartitionLog } from "./partition-log.ts";

/** How often the logs of a cluster are looked through. */
export interface LogManagerSettings {
  /** `log.retention.check.interval.ms` */
  readonly retentionCheckIntervalMs: number;
  /** `log.cleaner.backoff.ms` */
  readonly cleanerBackoffMs: number;
}

/**
 * Does to logs what their `cleanup.policy` says, by the clock or when it is told to.
 *
 * @see LogManager.cleanupLogs, LogCleaner (apache/kafka)
 */
export class LogManager {
  readonly #clock: Clock;
  readonly #logs: () => Iterable<PartitionLog>;
  readonly #timers = new Map<"retention" | "cleaner", Timer>();
  /** The cleaning under way of each log: one follows the other. */
  readonly #cleanings = new WeakMap<PartitionLog, Promise<void>>();

  /** @param logs those that there are at the moment */
  constructor(clock: Clock, logs: () => Iterable<PartitionLog>) {
    this.#clock = clock;
    this.#logs = logs;
  }

  start({ retentionCheckIntervalMs, cleanerBackoffMs }: LogManagerSettings): void {
    this.#repeat("retention", retentionCheckIntervalMs, (log) => log.deleteOldSegments());
    this.#repeat("cleaner", cleanerBackoffMs, (log) => {
      if (log.isDirty()) this.#clean(log).catch((error: Error) => process.emitWarning(error, "OdradekTestingWarning"));
    });
  }

  close(): void {
    for (const timer of this.#timers.values()) timer.cancel();
  }

  /** Closes the segment of a log that is written to, and deletes and compacts whatever may be by now. */
  async cleanUp(log: PartitionLog): Promise<void> {
    log.roll();
    log.deleteOldSegments();
    await this.#clean(log);
  }

  #repeat(what: "retention" | "cleaner", intervalMs: number, look: (log: PartitionLog) => void): void {
    const again = () => {
      for (const log of this.#logs()) look(log);
      this.#timers.set(what, this.#clock.after(intervalMs, again));
    };
    this.#timers.set(what, this.#clock.after(intervalMs, again));
  }

  #clean(log: PartitionLog): Promise<void> {
    const cleaning = (this.#cleanings.get(log) ?? Promise.resolve()).then(async () => {
      const next = log.cleaning();
      if (next !== null) await clean(log, next);
    });
    this.#cleanings.set(
      log,
      cleaning.catch(() => {}),
    );
    return cleaning;
  }
}
