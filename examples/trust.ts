import { readFileSync } from "node:fs";

const file = process.env["CA_FILE"];

/**
 * Whom the examples trust to say who is a broker: the authority in `CA_FILE`, or those that Node trusts. `CA_FILE=none` is for
 * a listener on this machine that speaks no TLS.
 */
export const ssl = file === undefined ? true : file === "none" ? false : { ca: readFileSync(file) };
