import { randomBytes } from "node:crypto";
import type { ContainerRuntimeClient } from "testcontainers";
import { brokerProperties, type ClusterLayout, propertiesText } from "../broker-properties.ts";
import { isInternal, type Listener } from "../listeners.ts";
import type { Fleet } from "../machine.ts";
import { type Endpoint, layOutNodes, type Node, randomClusterId } from "../node.ts";
import { type ClusterPlan, hasKraft } from "../plan.ts";
import { loopback } from "../ports.ts";
import { type Provider, Unavailable } from "../provider.ts";
import { allowingUrl } from "../security/security.ts";
import { defaultVersion, type KafkaVersion } from "../versions.ts";
import { Watchdog } from "../watchdog.ts";
import { asset } from "../workspace.ts";
import { type Container, ContainerMachine } from "./container-machine.ts";

/** An engine that lives answers in milliseconds; a socket that nobody serves any more never does. */
const answerWithinMs = 5_000;

/** A folder of the image `apache/kafka`: a `server.properties` in it replaces the image's own. */
const configFolder = "/mnt/shared/config";
const jwksFile = `${configFolder}/jwks.json`;
const dataFolder = "/tmp/kafka-data";

/** Brings the files along in the environment, which works for engines that do not share folders with this machine too. */
const entry =
  `printf %s "$SERVER_PROPERTIES" > ${configFolder}/server.properties && printf %s "$JWKS" > ${jwksFile} && ` +
  "exec /etc/kafka/docker/run";

/**
 * Brokers in containers of `apache/kafka`, or for 4.3.1 of the image that `KAFKA_IMAGE` names, through the engine that Testcontainers
 * finds. The containers are made with its client and not with `GenericContainer`, which publishes ports on all addresses,
 * removes what it stops, and starts a helper container whose image may not be had.
 */
export const containers: Provider = {
  name: "containers",
  place: "in containers",
  merit: "a Docker engine answers",
  async prepare(plan, progress) {
    if (!hasKraft(plan)) throw new Unavailable(`there is no image of Kafka ${plan.version}`);
    const image = imageOf(plan.version);
    const engine = await findEngine();
    await getImage(engine, image, progress);
    return () => layOut(plan, engine, image);
  },
};

const imageOf = (version: KafkaVersion): string =>
  (version === defaultVersion && process.env["KAFKA_IMAGE"]) || `apache/kafka:${version}`;

async function findEngine(): Promise<ContainerRuntimeClient> {
  const { getContainerRuntimeClient } = await import("testcontainers");
  const { promise: late, cancel } = rejectAfter(answerWithinMs);
  try {
    return await Promise.race([getContainerRuntimeClient(), late]);
  } catch (cause) {
    throw new Unavailable("no Docker engine answers", { cause });
  } finally {
    cancel();
  }
}

function rejectAfter(ms: number): { promise: Promise<never>; cancel: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const promise = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  return { promise, cancel: () => clearTimeout(timer) };
}

async function getImage(
  engine: ContainerRuntimeClient,
  image: string,
  progress: (line: string) => void,
): Promise<void> {
  const { ImageName } = await import("testcontainers");
  const name = ImageName.fromString(image);
  if (await engine.image.exists(name)) return;
  progress(`Pulling the image ${image}`);
  // The pull reports its failure in the stream that it returns: whether the image is there is the only sure sign.
  const failure = await engine.image.pull(name, { force: true, platform: undefined }).catch(String);
  if (!(await engine.image.exists(name))) {
    throw new Unavailable(`Docker has no image ${image} and cannot pull it`, { cause: failure });
  }
}

async function layOut(plan: ClusterPlan, engine: ContainerRuntimeClient, image: string): Promise<Fleet> {
  const name = `odradek-${randomBytes(4).toString("hex")}`;
  const Labels = { [name]: "cluster" };
  const watchdog = new Watchdog([process.execPath, asset("containers", "remove-containers.mjs"), name]);
  try {
    await engine.network.create({ Name: name, Labels });
    const nodes = await layOutNodes(plan, inContainer);
    const layout: ClusterLayout = { plan, nodes, zookeeper: undefined, jwksUrl: `file://${jwksFile}` };
    const environment = {
      CLUSTER_ID: randomClusterId(),
      JWKS: plan.security?.tokens.jwks ?? "",
      KAFKA_HEAP_OPTS: "-Xmx384m",
      KAFKA_JVM_PERFORMANCE_OPTS: "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
      KAFKA_OPTS: allowingUrl(layout.jwksUrl),
    };
    const create = (node: Node): Promise<Container> => {
      const SERVER_PROPERTIES = propertiesText(brokerProperties(node, layout, dataFolder));
      return engine.container.create({
        name: `${name}-${node.id}`,
        Image: image,
        Labels,
        Cmd: ["sh", "-c", entry],
        Env: Object.entries({ ...environment, SERVER_PROPERTIES }).map(([key, value]) => `${key}=${value}`),
        // One stream of plain text for a log.
        Tty: true,
        ExposedPorts: Object.fromEntries(published(node).map(({ inside }) => [inside, {}])),
        HostConfig: {
          NetworkMode: name,
          PortBindings: Object.fromEntries(
            published(node).map(({ inside, outside }) => [inside, [{ HostIp: bindTo(), HostPort: `${outside}` }]]),
          ),
        },
        NetworkingConfig: { EndpointsConfig: { [name]: { Aliases: [alias(node.id)] } } },
      });
    };
    const machines = await Promise.all(nodes.map(async (node) => new ContainerMachine(node, await create(node))));
    return { machines, dispose: () => watchdog.release() };
  } catch (error) {
    await watchdog.release();
    throw error;
  }
}

const alias = (id: number): string => `kafka-${id}`;

const ports = {
  CONTROLLER: 9090,
  BROKER: 9091,
  PLAINTEXT: 9092,
  SSL: 9093,
  MTLS: 9094,
  SASL_PLAINTEXT: 9095,
  SASL_SSL: 9096,
  OAUTH: 9097,
} as const satisfies Record<Listener, number>;

/** Where the engine publishes ports: on this machine, unless Testcontainers was told of another. */
const host = (): string => process.env["TESTCONTAINERS_HOST_OVERRIDE"] ?? loopback;
const bindTo = (): string => (host() === loopback ? loopback : "0.0.0.0");

/** The same ports inside every container; clients come in by ports of this machine, which stay the same over a restart. */
function inContainer(id: number, listener: Listener, port: number): Omit<Endpoint, "listener"> {
  const bind = { host: "0.0.0.0", port: ports[listener] };
  return { bind, advertised: isInternal(listener) ? { host: alias(id), port: bind.port } : { host: host(), port } };
}

const published = (node: Node): { inside: string; outside: number }[] =>
  node.endpoints
    .filter(({ listener }) => !isInternal(listener))
    .map(({ bind, advertised }) => ({ inside: `${bind.port}/tcp`, outside: advertised.port }));
