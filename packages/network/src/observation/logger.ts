/**
 * Where a client says what its user may want to know. `console` is one, and so are most loggers behind a line of code.
 * No message and no context holds a secret, a key or a value of a record.
 */
export interface Logger {
  debug(message: string, context?: LogContext): void;
  info(message: string, context?: LogContext): void;
  warn(message: string, context?: LogContext): void;
  error(message: string, context?: LogContext): void;
}

/** Details of a message, for machines: names, numbers, texts. */
export type LogContext = Readonly<Record<string, string | number | boolean | null>>;

const levels = ["debug", "info", "warn", "error"] as const;

/** Says nothing: the default. */
export const silentLogger: Logger = Object.freeze({ debug() {}, info() {}, warn() {}, error() {} });

/** Whether something that a user gave can be a logger. */
export function isLogger(value: unknown): value is Logger {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  return levels.every((level) => typeof Reflect.get(value, level) === "function");
}

/** The same logger, except that nothing which goes wrong in it reaches the client: a message is lost, and no more. */
export function guarded(logger: Logger): Logger {
  const guardedLevel = (level: (typeof levels)[number]) => (message: string, context?: LogContext) => {
    try {
      const result: unknown = logger[level](message, context);
      // An async function is a logger too, as far as types go, and its rejection would end the process.
      if (result instanceof Promise) result.catch(() => {});
    } catch {
      // There is nobody left to tell.
    }
  };
  return Object.freeze({
    debug: guardedLevel("debug"),
    info: guardedLevel("info"),
    warn: guardedLevel("warn"),
    error: guardedLevel("error"),
  });
}
