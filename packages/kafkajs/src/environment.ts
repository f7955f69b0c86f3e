/** The variables that kafkajs looks at. `NODE_ENV=test` makes its default retries shorter. */
export type Variable = "KAFKAJS_LOG_LEVEL" | "KAFKAJS_NO_PARTITIONER_WARNING" | "NODE_ENV";

/** What a variable says now; `null` for one that is not set. */
export const environment = (name: Variable): string | null => process.env[name] ?? null;
