import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { propertiesText, zooKeeperSessionTimeoutMs } from "../broker-properties.ts";
import { endOfLog } from "../machine.ts";
import { freePorts, loopback } from "../ports.ts";
import { until } from "../readiness.ts";
import type { Watchdog } from "../watchdog.ts";
import { type JavaCommand, JavaProcess } from "./java-process.ts";

const tickMs = 500;

/** How long after its death a broker cannot come back, because the place of the old one is still kept; in whole ticks. */
export const placeKeptMs = zooKeeperSessionTimeoutMs + 2 * tickMs;

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
  const java = command("zookeeper", mainClass, [file]);
  const zookeeper = new JavaProcess(java, watchdog);
  const failure = zookeeper.ended.then(async (how) => {
    throw new Error(`ZooKeeper ended with ${how}:\n${endOfLog(await readFile(java.logFile, "utf8"))}`);
  });
  const settled = new AbortController();
  try {
    await Promise.race([until("ZooKeeper accepts connections", () => accepts(port), settled.signal), failure]);
  } finally {
    settled.abort();
  }
  return `${loopback}:${port}`;
}

async function accepts(port: number): Promise<true | string> {
  const socket = connect(port, loopback);
  try {
    await once(socket, "connect");
    return true;
  } catch (error) {
    return String(error);
  } finally {
    socket.destroy();
  }
}
