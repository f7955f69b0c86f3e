import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Who is compared, and the package that each is installed as. */
export const packages = { odradek: "odradek", kafkajs: "kafkajs", platformatic: "@platformatic/kafka" } as const;

export type Peer = keyof typeof packages;

export const peers: readonly Peer[] = ["odradek", "kafkajs", "platformatic"];

/** The version of a package as installed. Not every package exports its package.json, so it is looked for from inside. */
export function versionOf(peer: Peer): string {
  for (let folder = dirname(require.resolve(packages[peer])); ; folder = dirname(folder)) {
    const found = manifest(folder);
    if (found?.name === packages[peer] && found.version !== undefined) return found.version;
    if (folder === dirname(folder)) throw new Error(`${packages[peer]} has no package.json`);
  }
}

function manifest(folder: string): { readonly name?: string; readonly version?: string } | null {
  try {
    return JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  } catch {
    return null;
  }
}
