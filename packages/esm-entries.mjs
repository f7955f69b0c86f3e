// Writes the ESM side of every entry that a package's `exports` names: a module that takes the one compiled CommonJS
// instance and exports each of its names. `import` and `require` then share classes and state.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(import.meta.url);
const packages = new URL(".", import.meta.url).pathname;

for (const directory of readdirSync(packages, { withFileTypes: true })) {
  if (!directory.isDirectory() || directory.name === "node_modules") continue;
  const root = join(packages, directory.name);
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  for (const entry of Object.values(exports)) {
    if (entry.import === undefined) continue;
    for (const compiled of filesOf(join(root, entry.require.default))) writeEntry(compiled);
  }
}

/** A path, or all that one with a `*` at its end names. */
function filesOf(path) {
  if (!path.endsWith("/*.js")) return [path];
  const folder = path.slice(0, -"/*.js".length);
  return readdirSync(folder)
    .filter((name) => name.endsWith(".js"))
    .map((name) => join(folder, name));
}

function writeEntry(compiled) {
  const base = compiled.slice(0, -".js".length);
  const file = `./${base.slice(base.lastIndexOf("/") + 1)}.js`;
  const names = Object.keys(require(compiled)).sort();
  const body =
    names.length === 0 ? "export {};\n" : `export const {\n${names.map((name) => `  ${name},\n`).join("")}} = cjs;\n`;
  writeFileSync(`${base}.mjs`, names.length === 0 ? body : `import cjs from "${file}";\n\n${body}`);
  writeFileSync(`${base}.d.mts`, `export * from "${file}";\n`);
}
