import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { brokerProperties, type ClusterLayout, propertiesText } from "../broker-properties.ts";
import type { Listener } from "../listeners.ts";
import type { Fleet } from "../machine.ts";
import { type Endpoint, layOutNodes, type Node, randomClusterId } from "../node.ts";
import { OwnCluster } from "../own-cluster.ts";
import { type ClusterPlan, hasKraft } from "../plan.ts";
import { loopback } from "../ports.ts";
import type { Provider } from "../provider.ts";
import { allowingUrl } from "../security/security.ts";
import { defaultVersion, releaseOf } from "../versions.ts";
import { Watchdog } from "../watchdog.ts";
import { asset } from "../workspace.ts";
import { archivedClasses } from "./class-archive.ts";
import { resolveJars } from "./jars.ts";
import { findJava, type Java } from "./java.ts";
import type { JavaCommand } from "./java-process.ts";
import { JvmMachine } from "./jvm-machine.ts";
import { placeKeptMs, startZooKeeper } from "./zookeeper.ts";

/** What it takes to run Java programs of one version of Kafka. */
interface Runtime {
  readonly java: Java;
  readonly classPath: readonly string[];
  /** Of every JVM. */
  readonly options: readonly string[];
  /** Of brokers, on top. */
  readonly brokerOptions: readonly string[];
}

/** Brokers as Java processes of this machine, with jars that Maven resolves. */
export const jvm: Provider = {
  name: "jvm",
  place: "on the local JVM",
  merit: "Java is here",
  async prepare(plan, progress) {
    const java = await findJava();
    const classPath = await resolveJars(plan.version, progress);
    const options = ["-Xmx384m", loggingOption(plan)];
    const runtime: Runtime = { java, classPath, options, brokerOptions: [] };
    // Other versions start once in a run, which is not worth an archive.
    if (plan.version !== defaultVersion) return () => layOut(plan, runtime);
    const record = (brokerOptions: readonly string[]) => rehearse(plan, { ...runtime, brokerOptions });
    const archived = await archivedClasses(plan.version, { jvm: java.identity, classPath }, record, progress);
    return () => layOut(plan, { ...runtime, options: [...options, ...archived] });
  },
};

const loggingOption = ({ version }: ClusterPlan): string =>
  releaseOf(version).logging === "log4j2"
    ? `-Dlog4j2.configurationFile=${pathToFileURL(asset("jvm", "log4j2.properties")).href}`
    : `-Dlog4j.configuration=${pathToFileURL(asset("jvm", "log4j.properties")).href}`;

/** Runs one broker from its start to an orderly end. */
async function rehearse({ version }: ClusterPlan, runtime: Runtime): Promise<void> {
  const plan: ClusterPlan = {
    version,
    brokers: 1,
    dynamicQuorum: false,
    logDirs: 1,
    properties: {},
    jvmOptions: [],
    security: undefined,
  };
  await using cluster = new OwnCluster(await layOut(plan, runtime), { ...plan, whereabouts: "in rehearsal" });
  await cluster.start();
  for (const broker of cluster.brokers) await broker.stop();
}

async function layOut(plan: ClusterPlan, runtime: Runtime): Promise<Fleet> {
  const home = await mkdtemp(join(tmpdir(), "odradek-kafka-"));
  const watchdog = new Watchdog(["rm", "-rf", home]);
  const command = (name: string, mainClass: string, args: readonly string[]): JavaCommand => ({
    program: runtime.java.program,
    jvmOptions: runtime.options,
    classPath: runtime.classPath,
    mainClass,
    args,
    logFile: join(home, `${name}.log`),
  });
  try {
    const jwks = join(home, "jwks.json");
    if (plan.security !== undefined) await writeFile(jwks, plan.security.tokens.jwks);
    const layout: ClusterLayout = {
      plan,
      nodes: await layOutNodes(plan, onLoopback),
      zookeeper: hasKraft(plan) ? undefined : await startZooKeeper(command, home, watchdog),
      jwksUrl: pathToFileURL(jwks).href,
    };
    const brokerOptions = [
      ...runtime.options,
      ...runtime.brokerOptions,
      allowingUrl(layout.jwksUrl),
      ...plan.jvmOptions,
    ];
    const clusterId = randomClusterId();
    const machine = async (node: Node): Promise<JvmMachine> => {
      const name = `broker-${node.id}`;
      const file = join(home, `${name}.properties`);
      await writeFile(file, propertiesText(brokerProperties(node, layout, join(home, name))));
      const broker = { ...command(name, "kafka.Kafka", [file]), jvmOptions: brokerOptions };
      const format = command(name, "kafka.tools.StorageTool", formatting(plan, node, clusterId, file));
      const kraft = hasKraft(plan);
      return new JvmMachine(
        node,
        { broker, format: kraft ? format : undefined, placeKeptMs: kraft ? 0 : placeKeptMs },
        watchdog,
      );
    };
    return { machines: await Promise.all(layout.nodes.map(machine)), dispose: () => watchdog.release() };
  } catch (error) {
    await watchdog.release();
    throw error;
  }
}

/** The first controller of a dynamic quorum begins it, and the others find their way by the addresses of all. */
function formatting({ dynamicQuorum }: ClusterPlan, { id }: Node, clusterId: string, file: string): string[] {
  const ofQuorum = id === 1 ? "--standalone" : "--no-initial-controllers";
  return ["format", "-t", clusterId, "-c", file, ...(dynamicQuorum ? [ofQuorum] : [])];
}

/** Where a listener binds is where it is found. */
function onLoopback(_id: number, _listener: Listener, port: number): Omit<Endpoint, "listener"> {
  const address = { host: loopback, port };
  return { bind: address, advertised: address };
}
