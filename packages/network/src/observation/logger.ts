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

/** Says nothing: the default. */
export const silentLogger: Logger = Object.freeze({ debug() {}, info() {}, warn() {}, error() {} });
