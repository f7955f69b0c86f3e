import { Kafka, logLevel } from "kafkajs";
import type { OpenAdmin } from "./admins.ts";

export const openKafkaJs: OpenAdmin = async ({ bootstrapServers }) => {
  const kafka = new Kafka({ brokers: [...bootstrapServers], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  return {
    async describe(names) {
      const { topics } = await admin.fetchTopicMetadata({ topics: [...names] });
      const led = topics.flatMap(({ partitions }) => partitions).filter(({ leader }) => leader >= 0);
      return { topics: topics.length, ledPartitions: led.length };
    },
    /** It has a call for one topic, which tells the beginnings as well; many of them at once fail inside of it. */
    async offsets(topics) {
      let [partitions, records] = [0, 0];
      for (const topic of topics) {
        const listed = await admin.fetchTopicOffsets(topic);
        partitions += listed.length;
        records = listed.reduce((sum, { high }) => sum + Number(high), records);
      }
      return { partitions, records };
    },
    close: () => admin.disconnect(),
  };
};
