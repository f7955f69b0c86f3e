/** Where the examples find Kafka: `BOOTSTRAP_SERVERS`, comma separated, or a broker on this machine. */
export const bootstrapServers = (process.env["BOOTSTRAP_SERVERS"] ?? "localhost:9092").split(",");
