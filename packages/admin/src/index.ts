export { KafkaAdmin } from "./admin.ts";
export type { AdminOptions } from "./admin-options.ts";
export type { Result, Results } from "./results.ts";
export type { CreatedTopic, CreateTopicsOptions, NewTopic, TopicConfig } from "./topics.ts";
