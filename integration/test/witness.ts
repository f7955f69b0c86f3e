import { channel } from "node:diagnostics_channel";
import { inspect } from "node:util";
import type { Logger, Metric } from "odradek";
import { expect } from "vitest";

const channels = ["connect", "disconnect", "request", "response", "throttle", "authentication-failure"] as const;

const all = { depth: Number.POSITIVE_INFINITY, showHidden: true, maxArrayLength: null, maxStringLength: null } as const;

/** Keeps all that clients let out of themselves, in full: errors, lines for loggers, diagnostics, metrics. */
export class Witness implements Disposable {
  readonly #seen: string[] = [];
  readonly #onMessage = (message: unknown, name: string | symbol): void => this.#keep(String(name), message);
  readonly logger: Logger = {
    debug: (...said) => this.#keep("debug", said),
    info: (...said) => this.#keep("info", said),
    warn: (...said) => this.#keep("warn", said),
    error: (...said) => this.#keep("error", said),
  };

  constructor() {
    for (const name of channels) channel(`odradek:${name}`).subscribe(this.#onMessage);
  }

  saw(what: unknown): void {
    this.#keep("error", what);
  }

  measured(metrics: readonly Metric[]): void {
    this.#keep("metrics", metrics);
  }

  /** How much of one kind there was, such as `odradek:disconnect`. */
  count(kind: string): number {
    return this.#seen.filter((text) => text.startsWith(`${kind}: `)).length;
  }

  /**
   * @param secrets passwords, tokens and keys, of which each line counts; looked for as they are, as base64, and as the
   *   bytes of a buffer are shown
   */
  expectNoneOf(secrets: readonly string[]): void {
    const pieces = secrets.flatMap((secret) => secret.split("\n")).filter((piece) => !/^(-----.*)?$/.test(piece));
    expect(pieces.length).toBeGreaterThan(0);
    const forms = pieces.flatMap((piece) => {
      const bytes = Buffer.from(piece);
      return [piece, bytes.toString("base64"), inspect(bytes.subarray(0, 40)).slice("<Buffer ".length, -1)];
    });
    for (const text of this.#seen) {
      const found = forms.find((form) => text.includes(form));
      if (found !== undefined) throw new Error(`${found} is in ${text}`);
    }
  }

  [Symbol.dispose](): void {
    for (const name of channels) channel(`odradek:${name}`).unsubscribe(this.#onMessage);
  }

  #keep(kind: string, what: unknown): void {
    this.#seen.push(`${kind}: ${inspect(what, all)}`);
  }
}
