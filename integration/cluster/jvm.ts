import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brokerProperties, type Node, propertiesText } from "./broker-properties.ts";
import type { Broker, KafkaCluster } from "./cluster.ts";
import { resolveJars } from "./jars.ts";
import { JavaProcess, type JavaCommand, runJava } from "./java.ts";
import { freePorts, loopback } from "./ports.ts";
import { membersKnowEachOther } from "./readiness.ts";
import { type KafkaVersion, kafkaVersions } from "./versions.ts";
import { Watchdog } from "./watchdog.ts";
import { asset } from "./workspace.ts";

interface JvmPlan {
  readonly version: KafkaVersion;
  readonly brokers: number;
  readonly properties: Readonly<Record<string, string>>;
}

/** Starts the brokers as Java processes of this machine, with the jars that Maven resolved. */
export async function startOnJvm(plan: JvmPlan): Promise<KafkaCluster> {
  const classPath = await resolveJars(plan.version);
  const home = await mkdtemp(join(tmpdir(), "odradek-kafka-"));
  const cluster = new JvmCluster(plan, classPath, home);
  try {
    await cluster.start();
    return cluster;
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

class JvmCluster implements KafkaCluster {
  readonly version: KafkaVersion;
  readonly #plan: JvmPlan;
  readonly #home: string;
  readonly #classPath: readonly string[];
  readonly #watchdog: Watchdog;
  #brokers: JvmBroker[] = [];

  constructor(plan: JvmPlan, classPath: readonly string[], home: string) {
    this.version = plan.version;
    this.#plan = plan;
    this.#classPath = classPath;
    this.#home = home;
    this.#watchdog = new Watchdog(["kill", "-9"], ["rm", "-rf", home]);
  }

  get brokers(): readonly Broker[] {
    return this.#brokers;
  }

  get bootstrapServers(): readonly string[] {
    return this.#brokers.map(({ host, port }) => `${host}:${port}`);
  }

  describe(): string {
    return `Kafka ${this.version} on the local JVM, ${this.#brokers.length} brokers: ${this.bootstrapServers.join(",")}`;
  }

  async start(): Promise<void> {
    const nodes = await nodesOf(this.#plan.brokers, ["PLAINTEXT", "CONTROLLER"]);
    const commands = await Promise.all(nodes.map((node) => this.#configure(node, nodes)));
    const id = clusterId();
    await Promise.all(commands.map((command) => runJava(this.#format(command, id), this.#watchdog)));
    this.#brokers = nodes.map((node, i) => {
      const command = commands[i];
      if (command === undefined) throw new Error("a command per node");
      return new JvmBroker(node, command, this.#watchdog, () => this.#running());
    });
    for (const broker of this.#brokers) broker.start();
    await membersKnowEachOther(this.#brokers);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#brokers.map((broker) => broker.kill()));
    this.#watchdog.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #running(): JvmBroker[] {
    return this.#brokers.filter((broker) => broker.answers);
  }

  async #configure(node: Node, nodes: readonly Node[]): Promise<JavaCommand> {
    const file = join(this.#home, `${node.id}.properties`);
    const dataFolder = join(this.#home, `data-${node.id}`);
    const properties = brokerProperties(node, { version: this.version, nodes, zookeeper: undefined, dataFolder });
    await writeFile(file, propertiesText({ ...properties, ...this.#plan.properties }));
    return {
      jvmOptions: ["-Xmx384m", `-Dlog4j2.configurationFile=${asset(kafkaVersions[this.version].logging)}`],
      classPath: this.#classPath,
      mainClass: "kafka.Kafka",
      args: [file],
      logFile: join(this.#home, `${node.id}.log`),
    };
  }

  #format(broker: JavaCommand, id: string): JavaCommand {
    return { ...broker, mainClass: "kafka.tools.StorageTool", args: ["format", "-t", id, "-c", ...broker.args] };
  }
}

class JvmBroker implements Broker {
  readonly id: number;
  readonly host = loopback;
  readonly port: number;
  readonly #command: JavaCommand;
  readonly #watchdog: Watchdog;
  readonly #running: () => JvmBroker[];
  #process: JavaProcess | undefined;
  #paused = false;

  constructor(node: Node, command: JavaCommand, watchdog: Watchdog, running: () => JvmBroker[]) {
    this.id = node.id;
    this.port = node.ports["PLAINTEXT"] ?? 0;
    this.#command = command;
    this.#watchdog = watchdog;
    this.#running = running;
  }

  get answers(): boolean {
    return this.#process?.running === true && !this.#paused;
  }

  start(): void {
    this.#process = new JavaProcess(this.#command, this.#watchdog);
  }

  async stop(): Promise<void> {
    this.resume();
    this.#process?.signal("SIGTERM");
    await this.#process?.ended;
  }

  async kill(): Promise<void> {
    this.#process?.signal("SIGKILL");
    await this.#process?.ended;
  }

  pause(): void {
    this.#process?.signal("SIGSTOP");
    this.#paused = true;
  }

  resume(): void {
    this.#process?.signal("SIGCONT");
    this.#paused = false;
  }

  async restart(): Promise<void> {
    await this.stop();
    this.start();
    await membersKnowEachOther(this.#running());
  }

  log(): Promise<string> {
    return readFile(this.#command.logFile, "utf8");
  }
}

async function nodesOf(count: number, listeners: readonly string[]): Promise<Node[]> {
  const ports = await freePorts(count * listeners.length);
  return Array.from({ length: count }, (_, i) => ({
    id: i + 1,
    ports: Object.fromEntries(listeners.map((name, j) => [name, ports[i * listeners.length + j] ?? 0])),
  }));
}

/** As Kafka's own random ids: 16 bytes in base64url that do not begin with a dash, which would read as an option. */
function clusterId(): string {
  const id = randomBytes(16).toString("base64url");
  return id.startsWith("-") ? clusterId() : id;
}
