import { execFile } from "node:child_process";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { NodeBinary } from "../run.ts";

/** Where `native.mjs` puts `@confluentinc/kafka-javascript`, at the top of the repository. */
export const confluentFolder = join(
  dirname(require.resolve("@odradek/integration/package.json")),
  ...["..", ".cache", "bench", "confluent", "node_modules", "@confluentinc", "kafka-javascript"],
);

const versionScript = `
  const { librdkafkaVersion } = require(process.argv[1]);
  console.log(require(process.argv[1] + "/package.json").version + " with librdkafka " + librdkafkaVersion);
`;

/**
 * @returns its version
 * @throws Error with how to get it, where the Node cannot load it
 */
export async function versionOfConfluent(node: NodeBinary): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(node.path, ["-e", versionScript, confluentFolder]);
    return stdout.trim();
  } catch (cause) {
    const text = "`node integration/bench/produce/native.mjs` gets it, for the Node 24 that it gets along with it";
    throw new Error(text, { cause });
  }
}
