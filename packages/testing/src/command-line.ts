import { parseArgs } from "node:util";
import { KafkaCluster } from "./kafka-cluster.ts";
import { type KafkaVersion, kafkaVersions } from "./kafka-version.ts";

const usage = `Usage: odradek-testing [options]

Starts a Kafka cluster in this process, on 127.0.0.1, and keeps it until Ctrl-C.

  --brokers <n>            how many brokers (1)
  --port <port>            of the first broker, the others follow (9092; 0 for free ones)
  --version <version>      which Kafka they pass for: ${kafkaVersions.join(", ")} (4.3)
  --topic <name[:n]>       a topic with n partitions, may be given again
  --verbose                a line for each request
  --help
`;

const isVersion = (text: string): text is KafkaVersion => kafkaVersions.some((version) => version === text);

/** @param digits the part of `given` that is a number */
function count(option: string, given: string, digits: string = given): number {
  if (/^\d+$/.test(digits)) return Number(digits);
  throw new TypeError(
    `--${option} is ${given}; it must be a whole number${digits === given ? "" : " behind the colon"}`,
  );
}

/**
 * What the command does.
 *
 * @param write gets the text for the terminal
 * @returns the cluster, `null` where only help was asked for
 * @throws TypeError for arguments that cannot be
 */
export async function runCommand(args: readonly string[], write: (text: string) => void): Promise<KafkaCluster | null> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      brokers: { type: "string", default: "1" },
      port: { type: "string", default: "9092" },
      version: { type: "string", default: "4.3" },
      topic: { type: "string", multiple: true, default: [] },
      verbose: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    write(usage);
    return null;
  }
  if (!isVersion(values.version)) {
    throw new TypeError(`--version is ${values.version}; it must be one of ${kafkaVersions.join(", ")}`);
  }
  const topics = values.topic.map((text): [string, { partitions: number }] => {
    const [name = "", partitions = "1"] = text.split(":");
    return [name, { partitions: count("topic", text, partitions) }];
  });
  const cluster = await KafkaCluster.start({
    brokers: count("brokers", values.brokers),
    port: count("port", values.port),
    version: values.version,
    topics: Object.fromEntries(topics),
    ...(values.verbose
      ? {
          onRequest: ({ broker, api, apiVersion, clientId }) =>
            write(`broker ${broker}  ${api} v${apiVersion}  ${clientId}\n`),
        }
      : {}),
  });
  write(`Kafka ${values.version} at ${cluster.bootstrapServers.join(",")}\n`);
  return cluster;
}
