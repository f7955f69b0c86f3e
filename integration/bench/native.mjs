// Gets what `npm run bench -- produce consume` can do without: Node 24, and the peer that is native code, built for that Node.
//
//   node integration/bench/native.mjs
//
// Both come from npm into .cache/bench at the top of the repository. The build takes a C++ compiler, make, Python and the
// headers of OpenSSL and zlib (libssl-dev, zlib1g-dev); with those of zstd (libzstd-dev) it compresses with zstd too.
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const cache = fileURLToPath(new URL("../../.cache/bench", import.meta.url));
const packages = { "node@24": join(cache, "node"), "@confluentinc/kafka-javascript@1.10.1": join(cache, "confluent") };
const [node, confluent] = Object.entries(packages);

function install([name, folder], env = {}) {
  // npm drops what the install scripts of an earlier time have put there, and does not run them again.
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "cache", private: true }));
  console.log(`Installing ${name} into ${folder}`);
  const args = ["install", "--prefix", folder, "--no-audit", "--no-fund", "--foreground-scripts", name];
  execFileSync("npm", args, { stdio: ["ignore", "inherit", "inherit"], env: { ...process.env, ...env } });
  return join(folder, "node_modules");
}

const nodePackage = join(install(node), "node");
const bin = join(nodePackage, "bin");
install(confluent, {
  PATH: `${bin}:${process.env.PATH}`,
  // The prebuilt one is not on npm, and the static build downloads the sources of what it links.
  CKJS_LINKING: "dynamic",
  npm_config_nodedir: join(nodePackage, "node_modules", `node-${process.platform}-${process.arch}`),
});
console.log(`npm run bench -- produce consume --node ${join(bin, "node")}`);
