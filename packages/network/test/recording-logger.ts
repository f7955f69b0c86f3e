import type { LogContext, Logger } from "../src/observation/logger.ts";

/** A logger that remembers what it was told, each message with its level and details. */
export class RecordingLogger implements Logger {
  readonly lines: string[] = [];

  debug(message: string, context?: LogContext): void {
    this.#add("debug", message, context);
  }

  info(message: string, context?: LogContext): void {
    this.#add("info", message, context);
  }

  warn(message: string, context?: LogContext): void {
    this.#add("warn", message, context);
  }

  error(message: string, context?: LogContext): void {
    this.#add("error", message, context);
  }

  /** How many lines hold a text. */
  count(text: string): number {
    return this.lines.filter((line) => line.includes(text)).length;
  }

  #add(level: string, message: string, context: LogContext = {}): void {
    this.lines.push(`${level}: ${message} ${JSON.stringify(context)}`);
  }
}
