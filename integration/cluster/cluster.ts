import { GivenCluster } from "./given-cluster.ts";
import type { KafkaCluster } from "./kafka-cluster.ts";
import { OwnCluster } from "./own-cluster.ts";
import type { ClusterPlan } from "./plan.ts";
import type { Progress, ProviderName } from "./provider.ts";
import { chooseProvider } from "./providers.ts";
import { ClusterSecurity } from "./security/security.ts";
import { defaultVersion, type KafkaVersion, releaseOf } from "./versions.ts";

export type { Broker, KafkaCluster } from "./kafka-cluster.ts";

export interface ClusterOptions {
  /** @default "4.3.1" */
  readonly version?: KafkaVersion;
  /**
   * SSL, mutual TLS, every SASL mechanism and an authorizer beside the plain listener.
   *
   * @default false
   */
  readonly secure?: boolean;
  /** @default 3 */
  readonly brokers?: 1 | 3;
  /**
   * Whether controllers may get and lose their votes (KIP-853). The first broker has the only vote then. On the local JVM alone.
   *
   * @default false
   */
  readonly dynamicQuorum?: boolean;
  /**
   * How many folders each broker has for its logs, as it were its disks.
   *
   * @default 1
   */
  readonly logDirs?: 1 | 2;
  /** Lines of `server.properties` for every broker, on top of the launcher's own. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Options of the JVM of every broker, on top of the launcher's frugal ones. In containers nobody looks at them. */
  readonly jvmOptions?: readonly string[];
  /**
   * The one provider to use.
   *
   * @default what `KAFKA_PROVIDER` says, else the first that can be had
   */
  readonly provider?: ProviderName;
  /**
   * Whether it must be a cluster of the caller's own, that may be broken. Every other option asks for one as well.
   *
   * @default false
   */
  readonly own?: boolean;
}

/** Announcements go to the terminal, apart from what a program prints as its result. */
const toTerminal: Progress = (line) => console.error(line);

/**
 * Gives a cluster whose brokers all answer and know each other: the one in `KAFKA_BROKERS`, where it is set and nothing
 * special is asked; else a new one, in containers or on the local JVM, whichever can be had first.
 *
 * @throws Unavailable with one line that says how to get a Kafka, when there is none
 * @throws Error with the end of each broker's log, when they do not start
 */
export async function startCluster(options: ClusterOptions = {}): Promise<KafkaCluster> {
  const given = process.env["KAFKA_BROKERS"];
  const anyWillDo = Object.values(options).every((option) => option === undefined || option === false);
  if (given && anyWillDo) return GivenCluster.find(given);
  const plan = await planOf(options);
  const provider = options.provider ?? (plan.dynamicQuorum ? "jvm" : preferredProvider());
  const { layOut, whereabouts } = await chooseProvider(plan, toTerminal, provider);
  const cluster = new OwnCluster(await layOut(), { ...plan, whereabouts });
  await cluster.start();
  return cluster;
}

/**
 * Gets what it takes to start clusters here, without starting one.
 *
 * @public `setup.mjs` calls it
 * @returns a line that says where they will come from
 * @throws Unavailable
 */
export async function prepareCluster(progress: Progress = toTerminal): Promise<string> {
  const given = process.env["KAFKA_BROKERS"];
  if (given) return (await GivenCluster.find(given)).describe();
  const plan = await planOf({});
  const { whereabouts } = await chooseProvider(plan, progress, preferredProvider());
  return `Kafka ${plan.version} ${whereabouts}`;
}

function preferredProvider(): ProviderName | undefined {
  const name = process.env["KAFKA_PROVIDER"];
  if (!name) return undefined;
  if (name === "containers" || name === "jvm") return name;
  throw new Error(`KAFKA_PROVIDER is ${name}: it is containers or jvm`);
}

async function planOf(options: ClusterOptions): Promise<ClusterPlan> {
  const { version = defaultVersion, secure = false, brokers = 3, properties = {}, jvmOptions = [] } = options;
  const { dynamicQuorum = false, logDirs = 1 } = options;
  if (secure && releaseOf(version).quorum !== "kraft") {
    throw new Error(`a secure cluster needs Kafka 3.9.2 or 4.3.1, not ${version}`);
  }
  const security = secure ? await ClusterSecurity.create() : undefined;
  return { version, brokers, dynamicQuorum, logDirs, properties, jvmOptions, security };
}
