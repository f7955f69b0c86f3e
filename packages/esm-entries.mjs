// Writes the ESM side of every entry that a package's `exports` names: a module that takes the one compiled CommonJS
// instance and exports each of its names. `import` and `require` then share classes and state.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";

const require = createRequire(import.meta.url);
const packages = new URL(".", import.meta.url).pathname;

/** Compilers that cannot read the declarations of odradek get others, in the folder that `typesVersions` names. */
const olderTypes = "<5.6";

/** kafkajs is CommonJS alone: there, `import kafkajs from "kafkajs"` gives all of it. */
const withDefault = new Set(["kafkajs"]);

for (const directory of readdirSync(packages, { withFileTypes: true })) {
  if (!directory.isDirectory() || directory.name === "node_modules") continue;
  const root = join(packages, directory.name);
  const { exports, typesVersions } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  nameDeclarations(join(root, "dist"));
  for (const entry of Object.values(exports)) {
    if (entry.import === undefined) continue;
    for (const name of namesOf(root, entry.require.default)) {
      const at = (path) => join(root, path.replace("*", name));
      const isDefaultToo = withDefault.has(directory.name);
      writeEntry(at(entry.require.default), at(entry.import.default), isDefaultToo);
      writeTypes(at(entry.require.types), at(entry.import.types), isDefaultToo);
    }
  }
  if (olderTypes in (typesVersions ?? {})) writeOlderTypes(root);
}

/** What a `*` in a path stands for; one empty name for a path without. */
function namesOf(root, path) {
  if (!path.endsWith("/*.js")) return [""];
  return readdirSync(join(root, path.slice(0, -"/*.js".length)))
    .filter((name) => name.endsWith(".js"))
    .map((name) => name.slice(0, -".js".length));
}

function writeEntry(compiled, entry, isDefaultToo) {
  const names = Object.keys(require(compiled)).sort();
  const named = `export const {\n${names.map((name) => `  ${name},\n`).join("")}} = cjs;\n`;
  const all = isDefaultToo ? "\nexport default cjs;\n" : "";
  const body = `import cjs from "${pathFrom(entry, compiled)}";\n\n${named}${all}`;
  writeFileSync(entry, names.length === 0 ? "export {};\n" : body);
}

function writeTypes(declaration, entry, isDefaultToo) {
  const path = pathFrom(entry, declaration.replace(/\.d\.ts$/, ".js"));
  const all = isDefaultToo ? `\nimport * as all from "${path}";\n\nexport default all;\n` : "";
  writeFileSync(entry, `export * from "${path}";\n${all}`);
}

/** How a module names a file beside or above it. */
function pathFrom(module, file) {
  const path = relative(dirname(module), file);
  return path.startsWith(".") ? path : `./${path}`;
}

/** The compiler leaves `.ts` in the imports of declarations, which its versions before 5 do not find. */
function nameDeclarations(folder) {
  for (const name of readdirSync(folder, { recursive: true })) {
    if (!name.endsWith(".d.ts")) continue;
    const file = join(folder, name);
    const written = readFileSync(file, "utf8");
    const rewritten = written.replaceAll(/(?<=(?:from |import\()"\.[^"\n]*)\.ts(?=")/g, ".js");
    if (rewritten !== written) writeFileSync(file, rewritten);
  }
}

/** The same declarations, with what they take from odradek as `any`. */
function writeOlderTypes(root) {
  const copies = join(root, "types-before-5.6");
  const names = new Set();
  for (const folder of ["dist", "types"]) {
    for (const name of readdirSync(join(root, folder), { recursive: true })) {
      if (!/\.d\.m?ts$/.test(name)) continue;
      const copy = join(copies, folder, name);
      const written = readFileSync(join(root, folder, name), "utf8");
      for (const [, imported, one] of written.matchAll(
        /import (?:type )?\{([^}]*)\} from "odradek"|import\("odradek"\)\.(\w+)/g,
      )) {
        for (const each of (imported ?? one).split(","))
          names.add(
            each
              .trim()
              .replace(/^type /, "")
              .replace(/ as .*/, ""),
          );
      }
      mkdirSync(dirname(copy), { recursive: true });
      writeFileSync(copy, written.replaceAll('"odradek"', `"${pathFrom(copy, join(copies, "odradek.js"))}"`));
    }
  }
  const loose = [...names].filter(Boolean).map((name) => `export type ${name}<A = any, B = any> = any;\n`);
  writeFileSync(join(copies, "odradek.d.ts"), loose.join(""));
}
