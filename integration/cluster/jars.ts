import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { asset, cacheFolder } from "./workspace.ts";

const copyDependencies = "org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies";

/**
 * The jars that `jars/<name>.xml` names with all that they depend on, in the order of a class path.
 * Maven resolves them once; they stay in the cache for as long as the pom is the same.
 */
export async function resolveJars(name: string): Promise<string[]> {
  const pom = asset("jars", `${name}.xml`);
  const folder = cacheFolder(name);
  const wanted = await readFile(pom, "utf8");
  if ((await textOf(join(folder, "pom.xml"))) !== wanted) await resolve(pom, wanted, folder);
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

function maven(args: readonly string[]): Promise<void> {
  return new Promise((done, fail) => {
    const child = spawn("mvn", ["-q", "-B", ...args], { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.on("error", (cause) => fail(new Error("mvn does not start: install Maven", { cause })));
    child.on("close", (code) => {
      if (code === 0) done();
      else fail(new Error(`mvn ${args.join(" ")} ended with ${code}:\n${output}`));
    });
  });
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch {
    return undefined;
  }
}
