// Checks the packages as people get them: publint and attw on each, then all of them packed, installed into an empty
// project, and used there by `require` and by `import` on every Node that we support: a record goes through a cluster inside
// the process. A service that was written for kafkajs is compiled there too, by compilers of its time.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const packages = new URL(".", import.meta.url).pathname;
const bin = (name) => join(packages, "../node_modules/.bin", name);
const run = (command, args, cwd) => {
  try {
    return execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    console.error(`${command} ${args.join(" ")} in ${cwd}:\n${error.stdout}${error.stderr}`);
    process.exit(1);
  }
};

/** The Nodes that people run; the binaries are packages of the registry. */
const nodes = ["20", "22", "24", "26"];

const published = readdirSync(packages, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== "node_modules")
  .map((entry) => join(packages, entry.name))
  .filter((root) => JSON.parse(readFileSync(join(root, "package.json"), "utf8")).private !== true);

const scratch = mkdtempSync(join(tmpdir(), "odradek-packages-"));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));

/** Paths into kafkajs, which has no types for them either. */
function untyped(root) {
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const paths = Object.keys(exports).filter((path) => typeof exports[path] === "string" && path.startsWith("./src"));
  return paths.length === 0 ? [] : ["--exclude-entrypoints", ...paths];
}

const tarballs = published.map((root) => {
  const [{ name, filename }] = JSON.parse(run("npm", ["pack", "--json", "--pack-destination", scratch], root));
  run(bin("publint"), ["run", "--strict", root], root);
  run(bin("attw"), [join(scratch, filename), "--profile", "node16", "--format", "ascii", ...untyped(root)], root);
  console.log(`${name}: publint and attw agree`);
  return `./${filename}`;
});

const install = (folder, ...args) => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "scratch", private: true }));
  run("npm", ["install", "--no-audit", "--no-fund", ...args], folder);
};

install(scratch, ...tarballs.map((tarball) => (/kafkajs/.test(tarball) ? `kafkajs@file:${tarball}` : tarball)));
writeFileSync(
  join(scratch, "both.cjs"),
  `const entries = ["odradek", "@odradek/protocol", "@odradek/protocol/messages/metadata", "@odradek/testing", "kafkajs"];
Promise.all(entries.map((entry) => import(entry))).then((modules) => {
  const counts = entries.map((entry, index) => {
    const required = require(entry);
    const names = Object.keys(required);
    const apart = names.filter((name) => modules[index][name] !== required[name]);
    if (names.length === 0 || apart.length > 0) throw new Error(entry + " is not one instance for both: " + apart);
    if (entry === "kafkajs" && modules[index].default !== required) throw new Error("kafkajs has no default export");
    return entry + " (" + names.length + " names)";
  });
  console.log("Node " + process.version + ": one instance for require and import of " + counts.join(", "));
});
`,
);
writeFileSync(
  join(scratch, "through.cjs"),
  `const { KafkaCluster } = require("@odradek/testing");
const { KafkaProducer, string } = require("odradek");
(async () => {
  const cluster = await KafkaCluster.start({ brokers: 3, topics: { orders: { partitions: 6 } } });
  const producer = new KafkaProducer({ bootstrapServers: cluster.bootstrapServers, valueSerializer: string });
  const sent = "seven".repeat(1_000);
  await producer.send({ topic: "orders", value: sent });
  const [{ value }] = await cluster.waitForRecords("orders", 1);
  if (String(value) !== sent) throw new Error("another record came: " + value);
  await producer[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
})();
`,
);
for (const version of nodes) {
  const folder = join(scratch, `node-${version}`);
  install(folder, `node@${version}`);
  const node = join(folder, "node_modules/node/bin/node");
  process.stdout.write(run(node, ["both.cjs"], scratch));
  run(node, ["through.cjs"], scratch);
  run(node, ["node_modules/.bin/odradek-testing", "--help"], scratch);
}
run("npx", ["--no-install", "@odradek/testing", "--help"], scratch);
console.log("a record goes through a cluster inside the process, and npx starts one");

rmSync(join(scratch, "node_modules/@node-rs"), { recursive: true });
run(process.execPath, ["through.cjs"], scratch);
console.log("nor does it need what is optional");

/** Compilers that services were written with, and how those look for modules. */
const compilers = ["4.9.5", "5.0.4", "5.9.3"];
const resolutions = [
  ["node16", "node16"],
  ["commonjs", "node"],
];

const service = join(packages, "kafkajs/test/types/service.ts");
for (const version of compilers) {
  const folder = join(scratch, `typescript-${version}`);
  install(folder, `typescript@${version}`, "@types/node@18");
  copyFileSync(service, join(folder, "service.ts"));
  for (const [module, moduleResolution] of resolutions) {
    const options = ["--strict", "--noEmit", "--target", "es2020", "--types", "node", "--skipLibCheck", "false"];
    const how = ["--module", module, "--moduleResolution", moduleResolution];
    run(join(folder, "node_modules/.bin/tsc"), [...options, ...how, "service.ts"], folder);
  }
  console.log(`TypeScript ${version}: a service written for kafkajs compiles as it is`);
}

const deepPaths = [
  "package.json",
  "src",
  "src/index",
  "src/index.js",
  "src/errors",
  "src/errors.js",
  "src/producer",
  "src/producer/index.js",
  "src/consumer",
  "src/consumer/index.js",
  "src/consumer/assignerProtocol",
  "src/loggers",
  "src/loggers/console",
  "src/network/requestQueue",
  "src/network/requestQueue/index.js",
  "src/network/socketFactory",
  "src/producer/partitioners/default/murmur2",
  "src/producer/partitioners/legacy/murmur2.js",
  "src/utils/waitFor",
];
const paths = JSON.stringify(deepPaths.map((path) => `kafkajs/${path}`));
run(process.execPath, ["-e", `${paths}.forEach((path) => require(path))`], scratch);
console.log(`${deepPaths.length} paths into kafkajs lead to what they name`);
