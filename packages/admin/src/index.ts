export { KafkaAdmin } from "./admin.ts";
export type { AdminOptions } from "./admin-options.ts";
export type { NewTopic } from "./new-topic.ts";
export type { Result, Results } from "./results.ts";
export type { CreatedTopic, CreateTopicsOptions, TopicConfig } from "./topics.ts";
