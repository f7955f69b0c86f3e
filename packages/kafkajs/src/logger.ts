import { type Clock, systemClock } from "odradek";
import { levelOfEnvironment, logLevel } from "./log-level.ts";

export interface LoggerEntryContent {
  /** ISO 8601 */
  readonly timestamp: string;
  readonly message: string;
  /** What callers add. */
  [key: string]: unknown;
}

export interface LogEntry {
  namespace: string;
  level: logLevel;
  /** `ERROR`, `WARN`, `INFO`, `DEBUG` */
  label: string;
  log: LoggerEntryContent;
}

/** Makes what takes the entries; called once for each `Kafka`, with the level to begin with. */
export type logCreator = (logLevel: logLevel) => (entry: LogEntry) => void;

export interface Logger {
  info(message: string, extra?: object): void;
  error(message: string, extra?: object): void;
  warn(message: string, extra?: object): void;
  debug(message: string, extra?: object): void;
  /** A logger of another namespace, with a level of its own if one is given. Namespaces do not nest. */
  namespace(namespace: string, logLevel?: logLevel): Logger;
  /** Changes the level of the whole `Kafka`, except for namespaces with one of their own. */
  setLogLevel(logLevel: logLevel): void;
}

/** What each logger lets through now. */
const levels = new WeakMap<Logger, () => logLevel>();

/** Whether a logger lets everything through: what takes time to say is not said for nothing. */
export const isDebugging = (logger: Logger): boolean => (levels.get(logger)?.() ?? logLevel.NOTHING) >= logLevel.DEBUG;

/**
 * The root logger of one `Kafka`.
 *
 * @param level `KAFKAJS_LOG_LEVEL` wins over it
 */
export function createLogger(level: logLevel, logCreator: logCreator, clock: Clock = systemClock): Logger {
  let common = levelOfEnvironment() ?? level;
  const write = logCreator(common);
  const loggerOf = (namespace: string, own: logLevel | null): Logger => {
    const say =
      (label: "INFO" | "ERROR" | "WARN" | "DEBUG") =>
      (message: string, extra: object = {}): void => {
        const entryLevel = logLevel[label];
        if (entryLevel > (own ?? common)) return;
        const timestamp = new Date(clock.wallTimeMs()).toISOString();
        write({ namespace, level: entryLevel, label, log: { timestamp, logger: "kafkajs", message, ...extra } });
      };
    const logger: Logger = {
      info: say("INFO"),
      error: say("ERROR"),
      warn: say("WARN"),
      debug: say("DEBUG"),
      namespace: (other, otherLevel) => loggerOf(other, levelOfEnvironment() ?? otherLevel ?? null),
      setLogLevel: (newLevel) => {
        common = newLevel;
      },
    };
    levels.set(logger, () => own ?? common);
    return logger;
  };
  return loggerOf("", null);
}
