/** What the launcher has to know of a release of Apache Kafka. Every one of them runs on Java 17. */
export interface KafkaRelease {
  /** Where brokers keep what they agree on. */
  readonly quorum: "kraft" | "zookeeper";
  /** The file that configures its logging. */
  readonly logging: "log4j2" | "log4j";
  /** Lines of `server.properties` that only this release needs. */
  readonly properties?: Readonly<Record<string, string>>;
}

export const kafkaVersions = {
  "4.4.0": { quorum: "kraft", logging: "log4j2" },
  "4.3.1": { quorum: "kraft", logging: "log4j2" },
  "3.9.2": {
    quorum: "kraft",
    logging: "log4j",
    // It has the consumer protocol of KIP-848, but not by default.
    properties: { "group.coordinator.rebalance.protocols": "classic,consumer" },
  },
  "2.8.2": { quorum: "zookeeper", logging: "log4j" },
  "2.1.1": { quorum: "zookeeper", logging: "log4j" },
} as const satisfies Record<string, KafkaRelease>;

export type KafkaVersion = keyof typeof kafkaVersions;

export const defaultVersion: KafkaVersion = "4.3.1";

export const releaseOf = (version: KafkaVersion): KafkaRelease => kafkaVersions[version];

export const isKafkaVersion = (text: string): text is KafkaVersion => Object.hasOwn(kafkaVersions, text);
