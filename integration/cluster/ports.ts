import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/** Every address that the launcher listens on is this one. */
export const loopback = "127.0.0.1";

/**
 * Ports below the range from which systems take the near end of outgoing connections: a broker that restarts must not
 * find its port taken by somebody's connection.
 */
const lowest = 10_000;
const highest = 32_000;

/** Free ports of the loopback address, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = randomInt(lowest, highest);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, loopback, () => server.close(() => resolve(true)));
  });
}
