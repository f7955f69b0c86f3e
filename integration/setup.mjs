// Gets a clone ready for what comes next on the command line of a script: node integration/setup.mjs STEP...
//
//   build   what npm installs, and the compiled code, where either is missing or older than what it is made from
//   kafka   a Kafka for the launcher: KAFKA_BROKERS, or Docker with the image, or Java with the jars
//   jars    the jars with the schemas of Kafka's protocol
//   kcat    kcat, where it may be installed: tests have it read what we write
//
// It runs before anything is installed or compiled: plain JavaScript, and Node's own modules alone.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const steps = { build, kafka, jars, kcat };

try {
  for (const name of process.argv.slice(2)) {
    const step = steps[name];
    if (step === undefined) throw new Error(`there is no step ${name}, only ${Object.keys(steps).join(", ")}`);
    await step();
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

function build() {
  const installed = join(root, "node_modules", ".package-lock.json");
  if (modifiedMs(join(root, "package-lock.json")) > modifiedMs(installed)) {
    run("Installing what package-lock.json names", "npm", ["ci", "--no-audit", "--no-fund"]);
  }
  const built = join(root, "node_modules", ".built");
  const complete = workspaces().every((folder) => existsSync(join(folder, "dist")));
  if (!complete || newestMs(workspaces()) > modifiedMs(built)) {
    run("Compiling", "npm", ["run", "--silent", "build"]);
    writeFileSync(built, "");
  }
}

async function kafka() {
  const { prepareCluster } = await launcher("cluster");
  say(await withJava(() => prepareCluster(say)));
}

async function jars() {
  const { resolveJars } = await launcher("jvm/jars");
  for (const name of ["clients", "clients-4.4.0"]) {
    const [jar] = await withJava(() => resolveJars(name, say));
    say(`The schemas of Kafka's protocol are in ${jar}`);
  }
}

/** Without it the tests that read with it are left out, and say so: it is no reason to run none. */
function kcat() {
  if (runs("kcat", "-V")) return;
  if (mayInstall()) {
    try {
      run("Installing kcat with apt-get", "apt-get", ["-qq", "update"]);
      run("This takes a few seconds", "apt-get", ["-qq", "-y", "install", "--no-install-recommends", "kcat"]);
      return;
    } catch (error) {
      say(error.message);
    }
  }
  say("There is no kcat: the tests that have it read what we write are left out");
}

/** A module of the launcher, compiled. */
function launcher(module) {
  const file = join(root, "integration", "dist", "cluster", `${module}.js`);
  if (!existsSync(file)) build();
  return import(pathToFileURL(file).href);
}

/** Tries again with Java and Maven installed, where they are what lacks and this is a machine on which that may be done. */
async function withJava(action) {
  try {
    return await action();
  } catch (error) {
    if (error.code !== "JAVA_MISSING" || !mayInstall()) throw error;
    say(error.message);
    run("Installing Java and Maven with apt-get", "apt-get", ["-qq", "update"]);
    run("This takes a minute", "apt-get", ["-qq", "-y", "install", "openjdk-17-jre-headless", "maven"]);
    return action();
  }
}

function mayInstall() {
  return process.getuid?.() === 0 && existsSync("/etc/debian_version") && runs("apt-get", "--version");
}

/** Every folder of the repository that is compiled. */
function workspaces() {
  const packages = readdirSync(join(root, "packages")).map((name) => join(root, "packages", name));
  const folders = [...packages, join(root, "integration"), join(root, "examples")];
  return folders.filter((folder) => existsSync(join(folder, "tsconfig.json")));
}

/** When the newest of the sources in these folders was written. */
function newestMs(folders) {
  const sources = folders.flatMap((folder) =>
    readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      if (!entry.isDirectory()) return /\.(ts|json)$/.test(path) ? [modifiedMs(path)] : [];
      return ["dist", "node_modules", "test"].includes(entry.name) ? [] : [newestMs([path])];
    }),
  );
  return Math.max(0, ...sources);
}

/** 0 for a file that is not there. */
function modifiedMs(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function runs(command, ...args) {
  return spawnSync(command, args, { stdio: "ignore" }).status === 0;
}

function run(what, command, args) {
  say(what);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const { status } = spawnSync(command, args, { cwd: root, stdio: "inherit", env });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed`);
}

function say(line) {
  console.log(line);
}
