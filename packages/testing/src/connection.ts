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
import { afterOthers } from "./clock.ts";
import type { Cluster } from "./cluster.ts";
import type { RecordedRequest } from "./faults/journal.ts";
import { handlerOf } from "./handlers/index.ts";
import type { Handler, RequestContext, Requester } from "./request-context.ts";
import { RequestFrames } from "./request-frames.ts";
import { Authentication } from "./security/authentication.ts";
import { State } from "./state.ts";

/** `ready` takes the next request. `busy` has not sent the answer to one. `silent` has dropped one: nothing follows it. */
type ConnectionState = "ready" | "busy" | "silent";

const arrows: Readonly<Record<ConnectionState, readonly ConnectionState[]>> = {
  ready: ["busy"],
  busy: ["ready", "silent"],
  silent: [],
};

/** A request that was read. */
interface TakenRequest {
  readonly header: RequestHeader;
  readonly body: ReturnType<Handler["decode"]>;
  /** As it is told to those who follow along. */
  readonly request: RecordedRequest;
}

/** What a client may send ahead of the answers; beyond it nothing more is read from its socket. */
const maxWaitingBytes = 1024 * 1024;

/** What is taken of one client before others have their turn. */
const requestsPerTurn = 16;

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
  readonly #state = new State<ConnectionState>("ready", arrows);
  readonly #waiting: Buffer[] = [];
  #waitingBytes = 0;
  readonly #closeListeners = new Set<() => void>();
  /** What the request under way goes on with once its broker is no longer paused. */
  #held: (() => void) | null = null;
  /** The answer under way is the last. */
  #isLast = false;

  constructor(socket: Socket, broker: Broker, cluster: Cluster) {
    this.#socket = socket;
    this.#broker = broker;
    this.#cluster = cluster;
    this.authentication = new Authentication(cluster.options.sasl);
    this.clientHost = `/${socket.remoteAddress ?? ""}`;
    const frames = new RequestFrames((payload) => {
      this.#waiting.push(payload);
      this.#waitingBytes += payload.length;
    });
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      try {
        frames.push(chunk);
      } catch {
        this.close();
        return;
      }
      this.work();
      if (this.#waitingBytes > maxWaitingBytes) socket.pause();
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

  /** Goes on with what waits, unless the broker is paused or a request still waits for its answer. */
  work(): void {
    const held = this.#held;
    if (held !== null && !this.#broker.isPaused) {
      this.#held = null;
      held();
    }
    for (let taken = 0; this.isOpen && this.#state.is("ready") && !this.#broker.isPaused; taken++) {
      if (taken === requestsPerTurn) {
        afterOthers(() => this.work());
        return;
      }
      const payload = this.#waiting.shift();
      if (payload === undefined) return;
      this.#waitingBytes -= payload.length;
      if (this.#waitingBytes <= maxWaitingBytes && this.#socket.isPaused()) this.#socket.resume();
      this.#state.to("busy");
      this.#guarded(() => this.#take(payload));
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
    const body = handler.decode(payload, header.apiVersion);
    const taken: TakenRequest = { header, body, request: this.#recorded(handler.api.name, header, body) };
    this.#cluster.journal.record(taken.request, payload.length);
    this.#cluster.observe(this.#broker.id, handler.api.name, header);
    const delay = this.#cluster.faults.take("delay", header.apiKey, taken.request);
    if (delay === null) {
      this.#answer(handler, taken);
      return;
    }
    const timer = this.#cluster.clock.after(delay.ms, () => {
      forget();
      this.#later(() => this.#answer(handler, taken));
    });
    // A client that goes leaves its request behind; a broker that stops does not.
    const forget = this.onClose(() => {
      if (!this.#broker.isAlive) timer.cancel();
    });
  }

  #recorded(api: string, { apiVersion, clientId }: RequestHeader, body: unknown): RecordedRequest {
    return { api, apiVersion, broker: this.#broker.id, clientId: clientId ?? "", body };
  }

  #answer(handler: Handler, taken: TakenRequest): void {
    const { header, body, request } = taken;
    const response = handler.answer(body, this.#contextOf(header, request));
    if (!(response instanceof Promise)) {
      this.#send(response, header.apiKey, request);
      return;
    }
    response.then(
      (frame) => this.#later(() => this.#send(frame, header.apiKey, request)),
      (error: unknown) => this.#giveUp(error),
    );
  }

  /** Goes on with the request under way after a wait, and with the next ones; not before a paused broker is resumed. */
  #later(run: () => void): void {
    this.#held = () => this.#guarded(run);
    this.work();
  }

  #guarded(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#giveUp(error);
    }
  }

  /** Kafka closes the connection after a request that makes no sense. Any other error is a defect of this broker. */
  #giveUp(error: unknown): void {
    if (!(error instanceof DecodeError || error instanceof UnsupportedVersionError)) {
      process.emitWarning(error instanceof Error ? error : String(error), "OdradekTestingWarning");
    }
    this.close();
  }

  #contextOf({ apiKey, correlationId }: RequestHeader, request: RecordedRequest): RequestContext {
    const { faults } = this.#cluster;
    const { apiVersion, clientId } = request;
    const failures = faults.failuresOf(apiKey, request);
    return {
      cluster: this.#cluster,
      broker: this.#broker,
      connection: this,
      correlationId,
      apiVersion,
      clientId,
      throttleTimeMs: faults.take("throttle", apiKey, request)?.ms ?? 0,
      failure: (topic, partition) => failures.errorCodeOf(topic, partition),
    };
  }

  /** A version of ApiVersions that is not known is answered in the form of version 0 (KIP-511); any other closes. */
  #refuseVersion(header: RequestHeader): void {
    const { apiKey, correlationId } = header;
    if (apiKey !== ApiVersions.key) {
      this.close();
      return;
    }
    const own = this.#cluster.apis.filter((range) => range.apiKey === ApiVersions.key);
    const errorCode = codeOf("UNSUPPORTED_VERSION");
    const frame = encodeResponse(ApiVersions, 0, correlationId, { errorCode, apiKeys: own });
    this.#send(frame, apiKey, this.#recorded(ApiVersions.name, header, {}));
  }

  #send(frame: Frame | null, apiKey: number, request: RecordedRequest): void {
    if (!this.isOpen) return;
    const { faults } = this.#cluster;
    if (faults.take("drop", apiKey, request) !== null) {
      this.#state.to("silent");
      return;
    }
    const cut = faults.take("closeAfter", apiKey, request);
    if (cut !== null) {
      this.#state.to("silent");
      this.#socket.write(Buffer.concat(frame?.chunks ?? []).subarray(0, cut.bytes), () => this.close());
      return;
    }
    if (frame === null) {
      this.#state.to("ready");
      return;
    }
    const split = faults.take("split", apiKey, request);
    if (split !== null) {
      this.#sendInPieces(Buffer.concat(frame.chunks), split.bytes);
      return;
    }
    this.#socket.cork();
    for (const chunk of frame.chunks) this.#socket.write(chunk);
    this.#socket.uncork();
    this.#sent();
  }

  /** The answer is written; a client that does not read it is asked for nothing more before it does. */
  #sent(): void {
    if (this.#isLast) {
      this.#socket.end();
      return;
    }
    if (!this.#socket.writableNeedDrain) {
      this.#state.to("ready");
      return;
    }
    this.#socket.once("drain", () => {
      this.#state.to("ready");
      this.work();
    });
  }

  /** The next piece goes when the one before it has gone, so that a client gets them one by one. */
  #sendInPieces(bytes: Buffer, pieceBytes: number): void {
    const next = (start: number) => {
      if (!this.isOpen) return;
      if (start < bytes.length) {
        this.#socket.write(bytes.subarray(start, start + pieceBytes), () => next(start + pieceBytes));
        return;
      }
      this.#sent();
      this.work();
    };
    next(0);
  }
}
