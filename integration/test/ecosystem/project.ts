import { execFile } from "node:child_process";
import { copyFile, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = fileURLToPath(new URL("../../..", import.meta.url));
const ours = ["protocol", "network", "producer", "consumer", "admin", "odradek", "kafkajs"];

/** What people use with kafkajs. kafkajs-lz4 and @kafkajs/zstd are not among it: they have to be compiled where they are installed. */
const theirs: Readonly<Record<string, string>> = {
  "@christiangalsterer/kafkajs-prometheus-exporter": "3.2.1",
  "@kafkajs/confluent-schema-registry": "4.1.0",
  "@nestjs/common": "12.5.1",
  "@nestjs/core": "12.5.1",
  "@nestjs/microservices": "12.1.1",
  "@opentelemetry/api": "1.10.0",
  "@opentelemetry/context-async-hooks": "3.1.1",
  "@opentelemetry/core": "3.1.1",
  "@opentelemetry/instrumentation-kafkajs": "0.33.0",
  "@opentelemetry/sdk-trace": "3.1.1",
  "kafkajs-snappy": "1.1.0",
  "prom-client": "15.1.3",
  "reflect-metadata": "0.2.2",
  "require-in-the-middle": "8.0.1",
  rxjs: "7.8.2",
};

/** A project that has our packages as people get them, `kafkajs` by its alias, and what they use with it. */
export class ScratchProject {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Outside of this repository, so that nothing of it is found by chance. @throws where npm cannot install it */
  static async create(): Promise<ScratchProject> {
    const project = new ScratchProject(await mkdtemp(join(tmpdir(), "odradek-ecosystem-")));
    try {
      await project.#install();
      const programs = (await readdir(here)).filter((name) => name.endsWith(".cjs"));
      await Promise.all(programs.map((name) => copyFile(join(here, name), join(project.#folder, name))));
    } catch (error) {
      await project.remove();
      throw error;
    }
    return project;
  }

  async #install(): Promise<void> {
    const folders = ours.map((name) => join(root, "packages", name));
    const packed: unknown = JSON.parse(await npm(["pack", "--json", ...folders], this.#folder));
    const dependencies = { ...theirs };
    for (const { name, filename } of tarballsOf(packed)) {
      dependencies[name === "@odradek/kafkajs" ? "kafkajs" : name] = `file:${filename}`;
    }
    await writeFile(join(this.#folder, "package.json"), JSON.stringify({ private: true, dependencies }));
    await npm(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"], this.#folder);
  }

  /** Runs one of the programs beside this file. It must end by itself. @returns what it says in its last line, which is JSON */
  async run(program: string, topic: string, brokers: readonly string[]): Promise<unknown> {
    const { stdout } = await promisify(execFile)(process.execPath, [program, topic], {
      cwd: this.#folder,
      env: { ...process.env, KAFKA_BROKERS: brokers.join(","), KAFKAJS_NO_PARTITIONER_WARNING: "1" },
      timeout: 60_000,
      killSignal: "SIGKILL",
    });
    return JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
  }

  remove(): Promise<void> {
    return rm(this.#folder, { recursive: true, force: true });
  }
}

interface Tarball {
  readonly name: string;
  readonly filename: string;
}

const isTarball = (given: unknown): given is Tarball =>
  typeof given === "object" && given !== null && "name" in given && "filename" in given;

function tarballsOf(packed: unknown): Tarball[] {
  if (Array.isArray(packed) && packed.every(isTarball)) return packed;
  throw new Error(`npm pack says what nobody expects: ${JSON.stringify(packed)}`);
}

async function npm(args: readonly string[], cwd: string): Promise<string> {
  try {
    return (await promisify(execFile)("npm", args, { cwd, maxBuffer: 16 * 1024 * 1024 })).stdout;
  } catch (error) {
    const said =
      typeof error === "object" && error !== null && "stderr" in error ? String(error.stderr) : String(error);
    const isOffline = /ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|ENETUNREACH/.test(said);
    const reason = isOffline
      ? "npm's registry cannot be reached, and these tests install what people use with kafkajs"
      : "";
    throw new Error(`${reason}\nnpm ${args[0]}: ${said}`.trim(), { cause: error });
  }
}
