import { defineConfig } from "vitest/config";

const conditions = ["@odradek/source"];
const source = { resolve: { conditions }, ssr: { resolve: { conditions } } };
const root = new URL("..", import.meta.url).pathname;

/** What is compiled and run as users run it: on brokers inside the process, and on those of the real layer. */
const programs = ["integration/test/programs.test.ts", "integration/test/group-programs.test.ts"];

/** The same, of what proves nothing about Kafka. */
const programsAlone = ["integration/test/**/*.programs.test.ts"];

/** The layers of the tests: what each needs is in packages/README.md. */
export default defineConfig({
  test: {
    projects: [
      {
        ...source,
        test: {
          name: "unit",
          root,
          include: ["packages/*/test/**/*.test.ts"],
          exclude: ["**/*.wire.test.ts", "**/*.schemas.test.ts"],
          // These tests wait for nothing: how long one takes says how much else the machine does.
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        ...source,
        test: {
          name: "wire",
          root,
          include: ["packages/*/test/**/*.wire.test.ts", "examples/test/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        ...source,
        test: { name: "schemas", root, include: ["packages/*/test/**/*.schemas.test.ts"], testTimeout: 60_000 },
      },
      {
        ...source,
        // Where the global set-up runs.
        environments: { __vitest__: { resolve: { conditions } } },
        test: {
          name: "programs",
          root,
          include: [...programs, ...programsAlone],
          globalSetup: ["integration/test/testing.setup.ts"],
          testTimeout: 60_000,
          fileParallelism: false,
        },
      },
      {
        ...source,
        environments: { __vitest__: { resolve: { conditions } } },
        test: {
          name: "real",
          root,
          include: ["integration/test/**/*.test.ts"],
          exclude: programsAlone,
          globalSetup: ["integration/test/cluster.setup.ts"],
          // More than `until` of the cluster has, so that what was waited for in vain is told.
          testTimeout: 240_000,
          hookTimeout: 240_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
