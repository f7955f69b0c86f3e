const load = (): typeof import("@mongodb-js/saslprep") => require("@mongodb-js/saslprep");

/**
 * Name or password as RFC 4013 prepares it, so that one that is typed in two ways is the same. It takes the
 * tables of RFC 3454, which are long and come from a library, and are loaded when they are first asked for.
 *
 * @returns `null` where it has a character that no name or password may have
 */
export function saslPrepared(text: string): string | null {
  const prepare = load();
  try {
    return prepare(text) || null;
  } catch {
    // What is wrong would be said with the text beside it.
    return null;
  }
}
