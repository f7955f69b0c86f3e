export {
  type AdminOptions,
  type CreatedTopic,
  type CreateTopicsOptions,
  KafkaAdmin,
  type NewTopic,
  type Result,
  type Results,
  type TopicConfig,
} from "@odradek/admin";
