import { KafkaAdmin } from "odradek";
import type { OpenAdmin } from "./admins.ts";

export const openOdradek: OpenAdmin = async ({ bootstrapServers }) => {
  const admin = new KafkaAdmin({ bootstrapServers });
  await admin.connect();
  return {
    async describe(topics) {
      const described = (await admin.describeTopics(topics)).orThrow();
      const led = described.flatMap(({ partitions }) => partitions).filter(({ leaderId }) => leaderId !== null);
      return { topics: described.length, ledPartitions: led.length };
    },
    async offsets(topics, partitions) {
      const queries = topics.flatMap((topic) =>
        Array.from({ length: partitions }, (_, partition) => ({ topic, partition, spec: "latest" }) as const),
      );
      const listed = (await admin.listOffsets(queries)).orThrow();
      return { partitions: listed.length, records: listed.reduce((sum, { offset }) => sum + Number(offset), 0) };
    },
    close: () => admin.close(),
  };
};
