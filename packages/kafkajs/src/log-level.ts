import { environment } from "./environment.ts";

/** How much is logged: everything up to the level. There is no 3. */
export const logLevel = { NOTHING: 0, ERROR: 1, WARN: 2, INFO: 4, DEBUG: 5 } as const;
export type logLevel = (typeof logLevel)[keyof typeof logLevel];

const levels: ReadonlyMap<string, logLevel> = new Map(Object.entries(logLevel));

/** The level that `KAFKAJS_LOG_LEVEL` names, which wins over any that was asked for. */
export const levelOfEnvironment = (): logLevel | null =>
  levels.get(environment("KAFKAJS_LOG_LEVEL").toUpperCase()) ?? null;
