import { type Patience, whenThere } from "../waiting.ts";

/** A request that a broker took. */
export interface RecordedRequest<Name extends string = string, Body = unknown> {
  readonly api: Name;
  readonly apiVersion: number;
  /** Id of the broker. */
  readonly broker: number;
  readonly clientId: string;
  /** The request as the protocol reads it. */
  readonly body: Body;
}

/** What is remembered, at the most. */
const maxRequests = 10_000;
const maxBytes = 16 * 1024 * 1024;

/** The latest requests, in the order in which the brokers took them. */
export class Journal {
  readonly #entries: { readonly request: RecordedRequest; readonly bytes: number }[] = [];
  readonly #watchers = new Set<(request: RecordedRequest) => void>();
  #bytes = 0;

  record(request: RecordedRequest, bytes: number): void {
    this.#entries.push({ request, bytes });
    this.#bytes += bytes;
    if (this.#entries.length > maxRequests || this.#bytes > maxBytes) this.#forget();
    for (const onRequest of [...this.#watchers]) onRequest(request);
  }

  requests(): RecordedRequest[] {
    return this.#entries.map(({ request }) => request);
  }

  clear(): void {
    this.#entries.length = 0;
    this.#bytes = 0;
  }

  /** The first remembered request that `isIt` says yes to, or the next one that comes. @throws whatever `isIt` throws */
  waitFor(isIt: (request: RecordedRequest) => boolean, patience: Patience): Promise<RecordedRequest> {
    let candidates: readonly RecordedRequest[] = this.requests();
    const watch = (onChange: () => void) => {
      const onRequest = (request: RecordedRequest) => {
        candidates = [request];
        onChange();
      };
      this.#watchers.add(onRequest);
      return () => this.#watchers.delete(onRequest);
    };
    return whenThere(() => candidates.find(isIt) ?? null, watch, patience);
  }

  /** Forgets the oldest half at once, so that it happens seldom. */
  #forget(): void {
    for (const { bytes } of this.#entries.splice(0, Math.ceil(this.#entries.length / 2))) this.#bytes -= bytes;
  }
}
