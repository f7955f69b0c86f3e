import type { Run } from "./run.ts";
import type { Table } from "./table.ts";

/** Something that is measured as a whole: `npm run bench -- NAME`. */
export interface Suite {
  readonly name: string;
  /** Measures every peer in processes of its own and gives what is to be printed. */
  measure(run: Run): Promise<readonly Table[]>;
}
