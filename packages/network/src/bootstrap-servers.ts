import { promises as dns } from "node:dns";
import { type Address, addressText, ConnectionError } from "./errors.ts";
import type { Logger } from "./observation/logger.ts";

/** What is asked of DNS. */
export interface NameResolver {
  /** Every IP address of a host. */
  addressesOf(host: string): Promise<readonly string[]>;
  /** The host that an IP address belongs to. */
  hostOf(address: string, port: number): Promise<string>;
}

/** As the system resolves names, hosts file and all. */
export const systemResolver: NameResolver = Object.freeze({
  addressesOf: async (host: string) => (await dns.lookup(host, { all: true })).map(({ address }) => address),
  hostOf: async (address: string, port: number) => (await dns.lookupService(address, port)).hostname,
});

/**
 * The hosts that bootstrap servers stand for: the canonical name of each address of each of them, as certificates and
 * Kerberos want them. An address without a name stands for itself. Source: Kafka's `ClientUtils`.
 *
 * @throws ConnectionError where none of them has an address
 */
export async function canonicalServers(
  servers: readonly Address[],
  resolver: NameResolver,
  logger: Logger,
): Promise<readonly Address[]> {
  const failures: unknown[] = [];
  const hosts = await Promise.all(
    servers.map(async ({ host, port }) => {
      try {
        const addresses = await resolver.addressesOf(host);
        return await Promise.all(addresses.map((address) => canonicalServer(address, port, resolver)));
      } catch (error) {
        logger.warn("a bootstrap server cannot be resolved", { host, port, reason: reasonOf(error) });
        failures.push(error);
        return [];
      }
    }),
  );
  const found = new Map(hosts.flat().map((server) => [addressText(server), server]));
  if (found.size > 0) return [...found.values()];
  const names = servers.map(addressText).join(", ");
  const reason = `none of the bootstrap servers ${names} can be resolved: ${reasonOf(failures[0])}`;
  throw new ConnectionError(null, reason, { cause: failures[0] });
}

async function canonicalServer(address: string, port: number, resolver: NameResolver): Promise<Address> {
  const host = await resolver.hostOf(address, port).catch(() => "");
  return { host: host === "" ? address : host, port };
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : "no addresses");

/**
 * Warns where a broker advertises an address that leads back to whoever uses it, while `asked`, who told of it, is elsewhere:
 * the first connection works, and no other.
 *
 * @returns whether it did
 */
export function warnOfLocal(asked: Address, brokers: readonly Address[], logger: Logger): boolean {
  const advertised = isLocal(asked) ? undefined : brokers.find(isLocal);
  if (advertised === undefined) return false;
  logger.warn("a broker elsewhere advertises an address of this machine: see its advertised.listeners", {
    advertised: addressText(advertised),
    asked: addressText(asked),
  });
  return true;
}

const localHost = /^(?:(?:.*\.)?localhost\.?|(?:::ffff:)?127(?:\.\d{1,3}){3}|0\.0\.0\.0|::1?)$/i;
const isLocal = ({ host }: Address): boolean => localHost.test(host);
