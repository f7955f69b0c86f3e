import type * as enums from "./enums.ts";
import { environment } from "./environment.ts";

export const logLevel: typeof enums.logLevel = { NOTHING: 0, ERROR: 1, WARN: 2, INFO: 4, DEBUG: 5 };
export type logLevel = enums.logLevel;

const isLevel = (name: string): name is keyof typeof logLevel => Object.hasOwn(logLevel, name);

/** The level that `KAFKAJS_LOG_LEVEL` names, which wins over any that was asked for. */
export function levelOfEnvironment(): logLevel | null {
  const name = environment("KAFKAJS_LOG_LEVEL")?.toUpperCase() ?? "";
  return isLevel(name) ? logLevel[name] : null;
}
