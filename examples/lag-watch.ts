import { setTimeout } from "node:timers/promises";
import { KafkaAdmin, KafkaError } from "odradek";
import { bootstrapServers } from "./bootstrap-servers.ts";

/**
 * Tells how far a group is behind, again and again until SIGTERM or SIGINT: `node dist/lag-watch.js billing 5000`. What fails for
 * once, such as a broker that restarts, is said and tried again.
 */
async function main(groupId = "billing", everyMs = "5000"): Promise<void> {
  await using admin = new KafkaAdmin({ bootstrapServers });
  const ends = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => ends.abort());
  const { signal } = ends;
  while (!signal.aborted) {
    try {
      await look(admin, groupId, signal);
      await setTimeout(Number(everyMs), undefined, { signal });
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof KafkaError)) throw error;
      console.log(`${groupId}: ${error.message}`);
      await setTimeout(Number(everyMs), undefined, { signal }).catch(() => undefined);
    }
  }
}

async function look(admin: KafkaAdmin, groupId: string, signal: AbortSignal): Promise<void> {
  let sum = 0n;
  for (const { key, value, error } of await admin.lag(groupId, { signal })) {
    const place = `${key.topic}-${key.partition}`;
    if (error !== null) console.log(`${place}: ${error.message}`);
    else {
      const reader = value.member === null ? "nobody reads it" : `read by ${value.member.clientId}`;
      console.log(
        `${place}: ${value.lag ?? "unknown"} behind, at ${value.committed ?? "nothing"} of ${value.end}, ${reader}`,
      );
      sum += value.lag ?? 0n;
    }
  }
  console.log(`${groupId}: ${sum} behind in all`);
}

main(...process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
