import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** A folder in place of the whole path: no Java, no Maven, and an apt-get that leaves a note and fails. */
let path = "";
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), "odradek-test-"));
});
afterEach(() => rm(path, { recursive: true }));

/**
 * Runs a program on a machine where nothing can be had: an engine that answers nevertheless, at a place that
 * Testcontainers knows, has no such image and gets it nowhere.
 */
async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { PATH: path, DOCKER_HOST: "tcp://127.0.0.1:1", KAFKA_IMAGE: "127.0.0.1:1/none:1", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { stdout, stderr, code };
}

const setup = ["integration/setup.mjs", "kafka"];
const launcher = ["integration/dist/cluster/main.js"];
const demo = ["integration/dist/demo.js", "--real"];

describe("where there is neither Docker nor Java", () => {
  test.each([[setup], [launcher], [demo]])("%s ends with one line that says how to get a Kafka", async (program) => {
    const { stdout, stderr, code } = await run(program);
    const [line, ...rest] = stderr.split("\n").filter((each) => !each.startsWith("Pulling the image"));
    expect(line).toMatch(
      /^No Kafka 4\.3\.1 to be had, because (no Docker engine answers|Docker has no image .*); there is no Java \(.*\)\. Start Docker, or install Java 17 and Maven, or set KAFKA_BROKERS to the host:port of a cluster that runs\.$/,
    );
    expect(rest).toEqual([""]);
    expect(stdout).toBe("");
    expect(code).toBe(1);
  });
});

describe("the set-up installs no Java", () => {
  beforeEach(async () => {
    const note = join(path, "asked");
    await writeFile(join(path, "apt-get"), `#!/bin/sh\n: > "${note}"\nexit 1\n`, { mode: 0o755 });
  });

  test.each([
    ["for KAFKA_BROKERS that name nothing", { KAFKA_BROKERS: "localhost" }, /^KAFKA_BROKERS has "localhost"/],
    [
      "for KAFKA_BROKERS where nobody answers",
      { KAFKA_BROKERS: "127.0.0.1:1" },
      /^no broker answers at 127\.0\.0\.1:1/,
    ],
    ["for a provider that does not exist", { KAFKA_PROVIDER: "docker" }, /^KAFKA_PROVIDER is docker/],
    ["for containers without an engine", { KAFKA_PROVIDER: "containers" }, /^No Kafka 4\.3\.1 to be had, because/],
    ["for a JAVA_HOME that is none", { KAFKA_PROVIDER: "jvm", JAVA_HOME: "/nowhere" }, /there is no Java \(\/nowhere/],
  ])("%s", async (_, env, message) => {
    const { stderr, code } = await run(setup, env);
    expect(stderr).toMatch(message);
    expect(code).toBe(1);
    expect(await readdir(path)).toEqual(["apt-get"]);
  });
});

test("the set-up goes on without kcat, and says what is left out", async () => {
  const { stdout, stderr, code } = await run(["integration/setup.mjs", "kcat"]);
  expect(stdout).toBe("There is no kcat: the tests that have it read what we write are left out\n");
  expect([stderr, code]).toEqual(["", 0]);
});
