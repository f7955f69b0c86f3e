import type { Socket } from "node:net";
import {
  codeOf,
  DecodeError,
  decodeRequestHeader,
  encodeResponse,
  type Frame,
  type RequestHeader,
  UnsupportedVersionError,
} from "@odradek/protocol";
import { ApiVersions } from "@odradek/protocol/messages/api-versions";
import type { Broker } from "./broker.ts";
import type { Cluster } from "./cluster.ts";
import { handlerOf } from "./handlers/index.ts";
import type { Handler, RequestContext, Requester } from "./request-context.ts";
import { RequestFrames } from "./request-frames.ts";
import { Authentication } from "./security/authentication.ts";

/**
 * One client at one broker. Its requests are taken one after the other: the next is looked at when the answer to the one
 * before it was written, as Kafka's own network layer mutes a channel.
 */
export class Connection implements Requester {
  readonly clientHost: string;
  readonly authentication: Authentication;
  readonly #socket: Socket;
  readonly #broker: Broker;
  readonly #cluster: Cluster;
  readonly #waiting: Buffer[] = [];
  readonly #closeListeners = new Set<() => void>();
  /** A request is being answered. */
  #isBusy = false;
  /** An answer was dropped: what comes after it is left alone. */
  #isSilent = false;
  /** The answer under way is the last. */
  #isLast = false;

  constructor(socket: Socket, broker: Broker, cluster: Cluster) {
    this.#socket = socket;
    this.#broker = broker;
    this.#cluster = cluster;
    this.authentication = new Authentication(cluster.options.sasl);
    this.clientHost = `/${socket.remoteAddress ?? ""}`;
    const frames = new RequestFrames((payload) => this.#waiting.push(payload));
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      try {
        frames.push(chunk);
      } catch {
        this.close();
        return;
      }
      this.work();
    });
    // What the socket has to say about its end, its close says too.
    socket.on("error", () => {});
    socket.on("close", () => {
      for (const run of [...this.#closeListeners]) run();
      this.#closeListeners.clear();
    });
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  onClose(run: () => void): () => void {
    this.#closeListeners.add(run);
    return () => this.#closeListeners.delete(run);
  }

  close(): void {
    this.#socket.destroy();
  }

  closeBehindAnswer(): void {
    this.#isLast = true;
  }

  /** Takes the requests that are there, unless the broker is paused or one of them still waits for its answer. */
  work(): void {
    while (this.isOpen && !this.#isBusy && !this.#isSilent && !this.#broker.isPaused) {
      const payload = this.#waiting.shift();
      if (payload === undefined) return;
      try {
        this.#take(payload);
      } catch (error) {
        this.#giveUp(error);
      }
    }
  }

  #take(payload: Buffer): void {
    const header = decodeRequestHeader(payload);
    const handler = handlerOf(header.apiKey);
    const range = this.#cluster.apis.find(({ apiKey }) => apiKey === header.apiKey);
    const isKnown =
      range !== undefined && header.apiVersion >= range.minVersion && header.apiVersion <= range.maxVersion;
    if (!this.authentication.allows(header.apiKey)) {
      this.close();
      return;
    }
    if (handler === undefined || !isKnown) {
      this.#refuseVersion(header);
      return;
    }
    const request = handler.decode(payload, header.apiVersion);
    this.#cluster.journal.record(
      {
        api: handler.api.name,
        apiVersion: header.apiVersion,
        broker: this.#broker.id,
        clientId: header.clientId ?? "",
        body: request,
      },
      payload.length,
    );
    this.#cluster.observe(this.#broker.id, handler.api.name, header);
    const delay = this.#cluster.faults.take("delay", header.apiKey, this.#broker.id);
    if (delay === null) {
      this.#answer(handler, request, header);
      return;
    }
    this.#isBusy = true;
    this.#cluster.clock.after(delay.ms, () => {
      this.#isBusy = false;
      try {
        this.#answer(handler, request, header);
      } catch (error) {
        this.#giveUp(error);
      }
      this.work();
    });
  }

  #answer(handler: Handler, request: ReturnType<Handler["decode"]>, header: RequestHeader): void {
    const response = handler.answer(request, this.#contextOf(header));
    if (!(response instanceof Promise)) {
      this.#send(response, header.apiKey);
      return;
    }
    this.#isBusy = true;
    response.then(
      (frame) => {
        this.#isBusy = false;
        this.#send(frame, header.apiKey);
        this.work();
      },
      (error: unknown) => this.#giveUp(error),
    );
  }

  /** Kafka closes the connection after a request that makes no sense. Any other error is a defect of this broker. */
  #giveUp(error: unknown): void {
    if (!(error instanceof DecodeError || error instanceof UnsupportedVersionError)) {
      process.emitWarning(error instanceof Error ? error : String(error), "OdradekTestingWarning");
    }
    this.close();
  }

  #contextOf({ apiKey, apiVersion, correlationId, clientId }: RequestHeader): RequestContext {
    const { faults } = this.#cluster;
    const failures = faults.failuresOf(apiKey, this.#broker.id);
    return {
      cluster: this.#cluster,
      broker: this.#broker,
      connection: this,
      correlationId,
      apiVersion,
      clientId: clientId ?? "",
      throttleTimeMs: faults.take("throttle", apiKey, this.#broker.id)?.ms ?? 0,
      failure: (topic, partition) => failures.errorCodeOf(topic, partition),
    };
  }

  /** A version of ApiVersions that is not known is answered in the form of version 0 (KIP-511); any other closes. */
  #refuseVersion({ apiKey, correlationId }: RequestHeader): void {
    if (apiKey !== ApiVersions.key) {
      this.close();
      return;
    }
    const own = this.#cluster.apis.filter((range) => range.apiKey === ApiVersions.key);
    const errorCode = codeOf("UNSUPPORTED_VERSION");
    this.#send(encodeResponse(ApiVersions, 0, correlationId, { errorCode, apiKeys: own }), apiKey);
  }

  #send(frame: Frame | null, apiKey: number): void {
    if (!this.isOpen || this.#isSilent) return;
    const { faults } = this.#cluster;
    if (faults.take("drop", apiKey, this.#broker.id) !== null) {
      this.#isSilent = true;
      return;
    }
    const cut = faults.take("closeAfter", apiKey, this.#broker.id);
    if (cut !== null) {
      const bytes = Buffer.concat(frame?.chunks ?? []).subarray(0, cut.bytes);
      this.#isSilent = true;
      this.#socket.write(bytes, () => this.close());
      return;
    }
    if (frame === null) return;
    const split = faults.take("split", apiKey, this.#broker.id);
    if (split !== null) {
      this.#sendInPieces(Buffer.concat(frame.chunks), Math.max(1, split.bytes));
      return;
    }
    this.#socket.cork();
    for (const chunk of frame.chunks) this.#socket.write(chunk);
    this.#socket.uncork();
    if (this.#isLast) this.#socket.end();
  }

  /** The next piece goes when the one before it has gone, so that a client gets them one by one. */
  #sendInPieces(bytes: Buffer, pieceBytes: number): void {
    this.#isBusy = true;
    const next = (start: number) => {
      if (start >= bytes.length || !this.isOpen) {
        this.#isBusy = false;
        this.work();
        return;
      }
      this.#socket.write(bytes.subarray(start, start + pieceBytes), () => next(start + pieceBytes));
    };
    next(0);
  }
}
