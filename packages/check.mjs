// Checks the packages as people get them: publint and attw on each, then all of them packed, installed into an empty
// project, and used there by `require` and by `import`, with the types of both.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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

const names = readdirSync(packages, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== "node_modules")
  .map((entry) => entry.name);

const scratch = mkdtempSync(join(tmpdir(), "odradek-packages-"));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));

const tarballs = names.map((name) => {
  const root = join(packages, name);
  const [{ filename }] = JSON.parse(run("npm", ["pack", "--json", "--pack-destination", scratch], root));
  run(bin("publint"), ["run", "--strict", root], root);
  run(bin("attw"), [join(scratch, filename), "--profile", "node16", "--format", "ascii"], root);
  console.log(`${name}: publint and attw agree`);
  return `./${filename}`;
});

writeFileSync(join(scratch, "package.json"), JSON.stringify({ name: "scratch", private: true }));
run("npm", ["install", "--no-audit", "--no-fund", ...tarballs], scratch);

const api = JSON.parse(readFileSync(join(packages, "odradek/package.json"), "utf8")).name;
writeFileSync(
  join(scratch, "both.cjs"),
  `const required = require("${api}");
import("${api}").then((imported) => {
  const names = Object.keys(required).sort();
  const missing = names.filter((name) => imported[name] !== required[name]);
  if (names.length === 0 || missing.length > 0) throw new Error("not one instance for require and import: " + missing);
  console.log("${api}: " + names.length + " names, one instance for require and import, Node " + process.version);
});
`,
);
process.stdout.write(run(process.execPath, ["both.cjs"], scratch));
