/** What the launcher has to know of a release of Apache Kafka, by version. All of them run on Java 17. */
export const kafkaVersions = {
  "4.3.1": { quorum: "kraft", logging: "log4j2.properties" },
  "3.9.2": { quorum: "kraft", logging: "log4j.properties" },
  "2.8.2": { quorum: "zookeeper", logging: "log4j.properties" },
  "2.1.1": { quorum: "zookeeper", logging: "log4j.properties" },
} as const satisfies Record<string, { quorum: "kraft" | "zookeeper"; logging: string }>;

export type KafkaVersion = keyof typeof kafkaVersions;

export const defaultVersion: KafkaVersion = "4.3.1";

export const isKafkaVersion = (text: string): text is KafkaVersion => Object.hasOwn(kafkaVersions, text);
