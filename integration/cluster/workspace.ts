import { dirname, join } from "node:path";

/** The folder of this package: the same whether its code runs from source or from `dist`. */
const integration = dirname(require.resolve("@odradek/integration/package.json"));

/** A file of the launcher that is not code. */
export const asset = (...path: string[]): string => join(integration, "cluster", ...path);

/** Where jars are kept between runs: `ODRADEK_CACHE`, by default `.cache/kafka` at the top of the repository. */
export const cacheFolder = (...path: string[]): string =>
  join(process.env["ODRADEK_CACHE"] ?? join(integration, "..", ".cache", "kafka"), ...path);
