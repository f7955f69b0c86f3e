import { logLevel } from "./log-level.ts";
import type { LogEntry, logCreator } from "./logger.ts";

/** One line of JSON for each entry, on the console. */
export const consoleLogCreator: logCreator =
  () =>
  ({ namespace, level, label, log }: LogEntry): void => {
    const message = namespace ? `[${namespace}] ${log.message}` : log.message;
    const line = JSON.stringify({ level: label, ...log, message });
    if (level === logLevel.ERROR) console.error(line);
    else if (level === logLevel.WARN) console.warn(line);
    else if (level === logLevel.INFO) console.info(line);
    else console.log(line);
  };
