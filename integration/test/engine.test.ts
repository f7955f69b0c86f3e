import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const engine = fileURLToPath(new URL("../cluster/containers/engine.sh", import.meta.url));

const everything = process.env["PATH"] ?? "";
let programs = "";
beforeEach(async () => {
  programs = await mkdtemp(join(tmpdir(), "odradek-test-"));
});
afterEach(() => rm(programs, { recursive: true }));

/** Runs engine.sh for a command that prints `ran`, with these shell scripts in place of the programs of their names. */
async function run(scripts: Readonly<Record<string, string>>, others = everything) {
  for (const [name, script] of Object.entries(scripts)) {
    await writeFile(join(programs, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  const env = { ...process.env, PATH: `${programs}${delimiter}${others}` };
  const child = spawn("/bin/sh", [engine, "echo", "ran"], { env, stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  return { stdout, stderr, code };
}

/** A machine on which an engine may be started, and none answers. */
const root = { id: "echo 0", "apt-get": "exit 1", docker: "exit 1" };
const dockerd = (lastLine: string) => `echo 'level=info msg="Starting up"' >&2; echo '${lastLine}' >&2; exit 1`;

describe("engine.sh", () => {
  test("runs the command with an engine that answers and has the image", async () => {
    expect(await run({ docker: "exit 0" })).toEqual({ stdout: "ran\n", stderr: "", code: 0 });
  });

  test("says that nobody but root can be given an engine, and ends well", async () => {
    expect(await run({ ...root, id: "echo 1000" })).toEqual({
      stdout:
        "Kafka in containers is not exercised here: no Docker engine answers, and only root on Debian or Ubuntu can be given one\n",
      stderr: "",
      code: 0,
    });
  });

  test.each([
    "failed to start daemon: Error initializing network controller: iptables failed: Permission denied",
    "failed to start daemon: Devices cgroup is not mounted",
    "failed to start daemon: error initializing graphdriver: mount: operation not permitted",
  ])("says that this machine keeps an engine from starting, and ends well: %s", async (line) => {
    expect(await run({ ...root, dockerd: dockerd(line) })).toEqual({
      stdout: `Kafka in containers is not exercised here: dockerd does not start: ${line}\n`,
      stderr: "",
      code: 0,
    });
  });

  test("fails for an engine that does not start for a reason of its own", async () => {
    const line = "failed to start daemon: write /data/engine-id: no space left on device";
    expect(await run({ ...root, dockerd: dockerd(line) })).toEqual({
      stdout: "",
      stderr: `Kafka in containers cannot be exercised: dockerd does not start: ${line}\n`,
      code: 1,
    });
  });

  test("fails where apt-get does", async () => {
    // No path but these programs, so that there is no dockerd whatever the machine has.
    const tools = ["dirname", "mktemp", "tail", "rm"].map((name) => [name, `PATH='${everything}' exec ${name} "$@"`]);
    const scripts = { ...root, ...Object.fromEntries(tools), "apt-get": "echo no such package >&2; exit 1" };
    const { stderr, code } = await run(scripts, "");
    expect(stderr).toMatch(
      /^Kafka in containers cannot be exercised: apt-get cannot install docker\.io: no such package\n$/,
    );
    expect(code).toBe(1);
  });
});
