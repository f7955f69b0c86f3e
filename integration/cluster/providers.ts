import { containers } from "./containers/containers.ts";
import { jvm } from "./jvm/jvm.ts";
import type { Fleet } from "./machine.ts";
import type { ClusterPlan } from "./plan.ts";
import { type Progress, type Provider, type ProviderName, Unavailable } from "./provider.ts";

/** In the order in which they are tried. */
const providers: readonly Provider[] = [containers, jvm];

export interface Choice {
  readonly layOut: () => Promise<Fleet>;
  /** Where the cluster will run and why there. */
  readonly whereabouts: string;
}

/**
 * Takes the first provider that can run the plan, and has it get all that it needs.
 *
 * @param only the one provider that is wanted, whatever others there are
 * @throws Unavailable with one line that says how to get a Kafka, when there is none
 */
export async function chooseProvider(plan: ClusterPlan, progress: Progress, only?: ProviderName): Promise<Choice> {
  const obstacles: Unavailable[] = [];
  for (const provider of providers) {
    if (only !== undefined && provider.name !== only) continue;
    try {
      const layOut = await provider.prepare(plan, progress);
      const reason = only === undefined ? reasons(obstacles) || provider.merit : "it was asked for";
      return { layOut, whereabouts: `${provider.place}, because ${reason}` };
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      obstacles.push(error);
    }
  }
  throw new Unavailable(
    `No Kafka ${plan.version} to be had, because ${reasons(obstacles)}. ` +
      "Start Docker, or install Java 17 and Maven, or set KAFKA_BROKERS to the host:port of a cluster that runs.",
    { code: obstacles.some(({ code }) => code === "JAVA_MISSING") ? "JAVA_MISSING" : "UNAVAILABLE" },
  );
}

const reasons = (obstacles: readonly Unavailable[]): string => obstacles.map(({ message }) => message).join("; ");
