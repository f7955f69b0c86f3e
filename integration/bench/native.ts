import { execFile } from "node:child_process";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { NodeBinary } from "./run.ts";

/** What of it is called here. It is not among the dependencies, so that it comes without types. */
export interface Confluent {
  /** What librdkafka was built with. */
  readonly features: readonly string[];
  readonly KafkaJS: {
    readonly Kafka: new (
      options: object,
    ) => {
      producer(options: object): ConfluentProducer;
      consumer(options: object): ConfluentConsumer;
    };
    readonly logLevel: { readonly NOTHING: number };
  };
}
interface ConfluentProducer {
  connect(): Promise<void>;
  send(batch: { readonly topic: string; readonly messages: readonly object[] }): Promise<unknown>;
  disconnect(): Promise<void>;
}
interface ConfluentConsumer {
  connect(): Promise<void>;
  subscribe(subscription: { readonly topics: readonly string[] }): Promise<void>;
  run(handlers: {
    readonly eachBatch?: (payload: { readonly batch: ConfluentBatch }) => Promise<void>;
    readonly eachMessage?: (payload: ConfluentPayload) => Promise<void>;
  }): Promise<void>;
}
interface ConfluentBatch {
  readonly partition: number;
  readonly messages: readonly ConfluentMessage[];
}
interface ConfluentPayload {
  readonly partition: number;
  readonly message: ConfluentMessage;
}
interface ConfluentMessage {
  readonly offset: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

/** Where `native.mjs` puts `@confluentinc/kafka-javascript`, at the top of the repository. */
const folder = join(
  dirname(require.resolve("@odradek/integration/package.json")),
  ...["..", ".cache", "bench", "confluent", "node_modules", "@confluentinc", "kafka-javascript"],
);

/** @returns the module itself, in a process that is to be measured */
export function loadConfluent(): Confluent {
  return require(folder);
}

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
    const { stdout } = await promisify(execFile)(node.path, ["-e", versionScript, folder]);
    return stdout.trim();
  } catch (cause) {
    const text = "`node integration/bench/native.mjs` gets it, for the Node 24 that it gets along with it";
    throw new Error(text, { cause });
  }
}
