import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const packages = new URL("../..", import.meta.url).pathname;

/** Who may import whom: each package, and all that stands below it. */
const below: Readonly<Record<string, readonly string[]>> = {
  "@odradek/protocol": [],
  "@odradek/testing": ["@odradek/protocol"],
  "@odradek/network": ["@odradek/protocol"],
  "@odradek/producer": ["@odradek/network", "@odradek/protocol"],
  "@odradek/consumer": ["@odradek/network", "@odradek/protocol"],
  "@odradek/admin": ["@odradek/network", "@odradek/protocol"],
  odradek: ["@odradek/producer", "@odradek/consumer", "@odradek/admin", "@odradek/network", "@odradek/protocol"],
  "@odradek/kafkajs": ["odradek"],
};

const manifests = readdirSync(packages)
  .filter((name) => name !== "node_modules" && statSync(join(packages, name)).isDirectory())
  .map((directory) => ({
    directory,
    manifest: JSON.parse(readFileSync(join(packages, directory, "package.json"), "utf8")),
  }));

const sources = (directory: string): string[] =>
  readdirSync(join(packages, directory, "src"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(packages, directory, "src", name));

const importsOf = (file: string): string[] =>
  [...readFileSync(file, "utf8").matchAll(/(?<![.\w])(?:from|import\(|require\()\s*"([^"\n]+)"/g)].flatMap(
    ([, name]) => name ?? [],
  );

const packageOf = (specifier: string): string =>
  specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");

describe("imports go downward only", () => {
  test("every package has its place in the order", () => {
    expect(new Set(manifests.map(({ manifest }) => manifest.name))).toEqual(new Set(Object.keys(below)));
  });

  test.each(manifests)("$directory depends on nothing beside or above it", ({ manifest }) => {
    const ours = Object.keys(manifest.dependencies ?? {}).filter((name) => name in below);
    expect(ours.filter((name) => !below[manifest.name]?.includes(name))).toEqual([]);
  });

  test.each(manifests)("$directory imports only what it declares", ({ directory, manifest }) => {
    const declared = new Set(Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies }));
    const undeclared = sources(directory).flatMap((file) =>
      importsOf(file)
        .filter((name) => !name.startsWith(".") && !name.startsWith("node:") && !declared.has(packageOf(name)))
        .map((name) => `${file.slice(packages.length)} imports ${name}`),
    );
    expect(undeclared).toEqual([]);
  });
});

describe("one place for each of these", () => {
  const offenders = (pattern: RegExp, allowed: RegExp): string[] =>
    manifests
      .flatMap(({ directory }) => sources(directory))
      .filter((file) => !allowed.test(file) && pattern.test(readFileSync(file, "utf8")))
      .map((file) => file.slice(packages.length));

  test("only the clocks of clients and of the broker for tests ask the system for time and timers", () => {
    const time = /\b(?:setTimeout|setInterval|setImmediate|Date\.now|performance\.now)\(|new Date\(\)/;
    expect(offenders(time, /(?:network|testing)\/src\/clock\.ts$/)).toEqual([]);
  });

  test("only network/src/socket.ts opens sockets for us, and only testing/src/broker.ts listens", () => {
    // The factory of kafkajs' sockets is there for services, whose own factories call it. Types open nothing, nor does what only looks at an address.
    const sockets = /import (?!type\b|\{ (?:type \w+|isIP\w*)(?:, (?:type \w+|isIP\w*))* \}).* from "node:(?:net|tls)"/;
    const allowed = /(?:network\/src\/socket|testing\/src\/broker|kafkajs\/src\/client\/default-socket-factory)\.ts$/;
    expect(offenders(sockets, allowed)).toEqual([]);
    expect([
      sockets.test('import * as net from "node:net"'),
      sockets.test('import { Socket } from "node:net"'),
      sockets.test('import { isIPv6, connect } from "node:tls"'),
      sockets.test('import type { Socket } from "node:net"'),
      sockets.test('import { isIPv6, type Socket } from "node:net"'),
    ]).toEqual([true, true, true, false, false]);
  });

  test("nothing but two files of kafkajs reads the environment or writes to the console", () => {
    // kafkajs does both, and says so: its default logger, and the variables that it looks at.
    const allowed = /kafkajs\/src\/(?:environment|console-log-creator)\.ts$/;
    expect(offenders(/process\.env|console\.\w+\(/, allowed)).toEqual([]);
  });
});
