import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { Unavailable } from "../provider.ts";

const oldest = 17;

/** The `java` of `JAVA_HOME`, else the first on the path. */
export interface Java {
  readonly program: string;
  /** What it says of itself: another text is another JVM. */
  readonly identity: string;
}

/** @throws Unavailable where there is no Java, or only an old one */
export async function findJava(): Promise<Java> {
  const home = process.env["JAVA_HOME"];
  const program = home === undefined ? "java" : join(home, "bin", "java");
  // Who has said which Java to take is not helped by another one.
  const code = home === undefined ? "JAVA_MISSING" : "UNAVAILABLE";
  const identity = await promisify(execFile)(program, ["-version"]).then(
    ({ stderr }) => stderr,
    () => {
      throw new Unavailable(`there is no Java (${program} does not run)`, { code });
    },
  );
  const version = Number(/version "(\d+)/.exec(identity)?.[1]);
  if (!(version >= oldest)) {
    throw new Unavailable(`Kafka needs Java ${oldest}, and ${program} is Java ${version}`, { code });
  }
  return { program, identity };
}
