import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { type JavaCommand, JavaProcess } from "./java-process.ts";
import { propertiesText } from "./java-properties.ts";
import { freePorts, loopback } from "./ports.ts";
import { until } from "./readiness.ts";
import type { Watchdog } from "./watchdog.ts";

/** How long it keeps the place of a broker that it does not hear of any more. */
export const sessionTimeoutMs = 5_000;
const tickMs = 500;

/** How long after its death a broker cannot come back, because the place of the old one is still kept; in whole ticks. */
export const placeKeptMs = sessionTimeoutMs + 2 * tickMs;

const mainClass = "org.apache.zookeeper.server.quorum.QuorumPeerMain";

/**
 * Starts the ZooKeeper that brokers before KRaft need; the watchdog ends it.
 *
 * @returns its `host:port`
 */
export async function startZooKeeper(
  command: (name: string, mainClass: string, args: readonly string[]) => JavaCommand,
  home: string,
  watchdog: Watchdog,
): Promise<string> {
  const [port = 0] = await freePorts(1);
  const dataFolder = join(home, "zookeeper");
  const file = join(home, "zookeeper.properties");
  await mkdir(dataFolder);
  await writeFile(
    file,
    propertiesText({
      dataDir: dataFolder,
      clientPort: `${port}`,
      clientPortAddress: loopback,
      "admin.enableServer": "false",
      tickTime: `${tickMs}`,
    }),
  );
  const zookeeper = new JavaProcess(command("zookeeper", mainClass, [file]), watchdog);
  const accepts = async (): Promise<true | string> => {
    const socket = connect(port, loopback);
    return once(socket, "connect")
      .then(() => true as const, String)
      .finally(() => socket.destroy());
  };
  const settled = new AbortController();
  const failure = zookeeper.ended.then((how) => Promise.reject(new Error(`ZooKeeper ended with ${how}`)));
  await Promise.race([until("ZooKeeper accepts connections", accepts, settled.signal), failure]).finally(() =>
    settled.abort(),
  );
  return `${loopback}:${port}`;
}
