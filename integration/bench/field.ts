import type { Ratio } from "./comparison.ts";
import { JavaPrograms } from "./java-program.ts";
import { versionOfConfluent } from "./native.ts";
import { packages } from "./peer.ts";
import type { NodeBinary, Run } from "./run.ts";

/** Clients for Node, each of which has processes of its own. */
const clients = ["odradek", "kafkajs", "platformatic", "confluent"] as const;

/** What stands in the place of kafkajs, without a change in the service. */
const dropIn = "@odradek/kafkajs";

/** All that can be measured in a process of its own. */
export const measurable = [...clients, dropIn] as const;

export type Client = (typeof measurable)[number];

/** Who is there on a Node. */
export interface Field {
  readonly clients: readonly Client[];
  /** `null` where there is no Java, or no jars. */
  readonly java: JavaPrograms | null;
  /** What is to be said of them, and of those that are not there. */
  readonly notes: readonly string[];
}

/** `@platformatic/kafka` calls what Node has only since. */
const platformaticMajor = 22;

/** Who is to be compared with whom. */
export interface LineUp {
  /** The columns of a table, whoever is there. */
  readonly names: readonly string[];
  readonly ratios: readonly Ratio[];
  /** @param javaProgram the main class of what Java takes part with */
  readonly fieldOn: (node: NodeBinary, run: Run, javaProgram: string) => Promise<Field>;
}

export const everybody: LineUp = {
  names: [...clients, "java"],
  ratios: [
    { head: "odradek to the best Node peer", of: "odradek", rivals: clients.filter((client) => client !== "odradek") },
    { head: "odradek to Java", of: "odradek", rivals: ["java"] },
  ],
  fieldOn: everybodyOn,
};

/** A service before and after it has changed one line of its package.json. */
export const beforeAndAfter: LineUp = {
  names: ["kafkajs", dropIn],
  ratios: [{ head: "after to before", of: dropIn, rivals: ["kafkajs"] }],
  fieldOn: async () => ({ clients: ["kafkajs", dropIn], java: null, notes: [] }),
};

async function everybodyOn(node: NodeBinary, run: Run, javaProgram: string): Promise<Field> {
  const notes: string[] = [];
  const orNull = async <T>(name: string, looking: Promise<T>, versionOf: (found: T) => string): Promise<T | null> => {
    try {
      const found = await looking;
      notes.push(`${name} is ${versionOf(found)}`);
      return found;
    } catch (error) {
      notes.push(`${name} is missing: ${error instanceof Error ? error.message : String(error)}`);
      return null;
    }
  };
  const platformatic = await orNull("platformatic", platformaticOn(node), (name) => name);
  const confluent = await orNull("confluent", confluentOn(node, run), (version) => version);
  const java = await orNull(
    "java",
    JavaPrograms.find(),
    ({ kafkaVersion }) => `${javaProgram} of Kafka ${kafkaVersion}`,
  );
  const missing = new Set<Client>();
  if (platformatic === null) missing.add("platformatic");
  if (confluent === null) missing.add("confluent");
  return { clients: clients.filter((name) => !missing.has(name)), java, notes };
}

async function platformaticOn({ version }: NodeBinary): Promise<string> {
  if (Number.parseInt(version.slice(1), 10) >= platformaticMajor) return packages.platformatic;
  throw new Error(`it is for Node ${platformaticMajor} and later`);
}

async function confluentOn(node: NodeBinary, run: Run): Promise<string> {
  if (run.isSmoke) throw new Error("a smoke run is without native code");
  return versionOfConfluent(node);
}
