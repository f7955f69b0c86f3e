const shownLines = 40;

/** The last lines of a log, for an error. */
export const endOfLog = (log: string): string => log.trimEnd().split("\n").slice(-shownLines).join("\n");
