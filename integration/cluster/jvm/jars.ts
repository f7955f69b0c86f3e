import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Progress, Unavailable } from "../provider.ts";
import { asset, cacheFolder } from "../workspace.ts";

const copyDependencies = "org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies";

/**
 * The jars that `jars/<name>.xml` names with all that they depend on, in the order of a class path.
 * Maven resolves them once; they stay in the cache for as long as the pom is the same.
 *
 * @throws Unavailable where they are not in the cache and Maven is missing, or cannot get them
 */
export async function resolveJars(name: string, progress: Progress): Promise<string[]> {
  const pom = asset("jvm", "jars", `${name}.xml`);
  const folder = cacheFolder(name);
  const wanted = await readFile(pom, "utf8");
  if ((await textOf(join(folder, "pom.xml"))) !== wanted) {
    progress(`Resolving what jars/${name}.xml names into ${folder}`);
    await resolve(pom, wanted, folder);
  }
  const jars = await readdir(join(folder, "libs"));
  // Sorted, because an archive of loaded classes is valid for one exact class path.
  return jars.sort().map((jar) => join(folder, "libs", jar));
}

async function resolve(pom: string, wanted: string, folder: string): Promise<void> {
  await mkdir(cacheFolder(), { recursive: true });
  // Complete before it is in place: runs that start at the same time never see half a folder.
  const draft = await mkdtemp(`${folder}.`);
  try {
    await maven(["-f", pom, copyDependencies, `-DoutputDirectory=${join(draft, "libs")}`]);
    await writeFile(join(draft, "pom.xml"), wanted);
    await rm(folder, { recursive: true, force: true });
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    // Another run that was first has put the same jars there.
    if ((await textOf(join(folder, "pom.xml"))) !== wanted) throw error;
  }
}

async function maven(args: readonly string[]): Promise<void> {
  try {
    await promisify(execFile)("mvn", ["-q", "-B", ...args]);
  } catch (cause) {
    const missing = cause instanceof Error && "code" in cause && cause.code === "ENOENT";
    if (missing) throw new Unavailable("there is no Maven (mvn does not run)", { code: "JAVA_MISSING", cause });
    throw new Unavailable(`Maven fails: ${reasonOf(cause)}`, { cause });
  }
}

/** Maven tells what is wrong in its first line, and how to find out more in the rest. */
function reasonOf(failure: unknown): string {
  const output = failure instanceof Error && "stdout" in failure ? String(failure.stdout) : String(failure);
  return output.split("\n", 1).join();
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch {
    return undefined;
  }
}
