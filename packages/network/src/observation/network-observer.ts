import type { Api } from "@odradek/protocol";
import type { Clock } from "../clock.ts";
import type { ConnectionPeer } from "../connection-peer.ts";
import { AuthenticationError, addressText } from "../errors.ts";
import {
  type ConnectionMessage,
  Diagnostics,
  type DiagnosticsListener,
  type DiagnosticsMessages,
  networkChannels,
  noListener,
} from "./diagnostics.ts";
import { guarded, type LogContext, type Logger } from "./logger.ts";
import { type ClientKind, type MetricGroup, MetricRegistry, type Sensors } from "./metric-registry.ts";
import { clientMetrics, connectionCount, nodeMetrics } from "./network-metrics.ts";
import type { Sampling } from "./sensor.ts";

export interface NetworkObserverOptions extends Sampling {
  readonly kind: ClientKind;
  readonly clientId: string;
  readonly logger: Logger;
  /** @default nobody */
  readonly diagnostics?: DiagnosticsListener;
  readonly clock: Clock;
}

/** A request, as those know it who look on. */
export interface ObservedRequest {
  readonly api: Pick<Api, "name" | "key">;
  readonly version: number;
  readonly correlationId: number;
}

interface NodeSensors {
  readonly group: MetricGroup;
  readonly sensors: Sensors<typeof nodeMetrics>;
}

const nsPerMs = 1_000_000;

/**
 * What connections tell what they do: it becomes metrics, messages of `node:diagnostics_channel` and lines of the user's
 * logger. One for each client. Nothing here throws, whatever the logger and the listeners do.
 */
export class NetworkObserver {
  /** Where the parts of the client add metrics of their own. */
  readonly registry: MetricRegistry;
  /** The user's logger, which cannot throw here. */
  readonly logger: Logger;
  readonly #kind: ClientKind;
  readonly #clientId: string;
  readonly #clock: Clock;
  readonly #diagnostics: Diagnostics<DiagnosticsMessages>;
  readonly #client: Sensors<typeof clientMetrics>;
  readonly #nodes = new Map<number, NodeSensors>();
  readonly #connected = new Set<ConnectionPeer>();
  /** Brokers that the cluster has, `null` before anybody knows. */
  #nodeIds: ReadonlySet<number> | null = null;
  /** Since when no socket had anything. */
  #idleSinceMs: number;

  constructor({ kind, clientId, logger, diagnostics = noListener, clock, ...sampling }: NetworkObserverOptions) {
    this.registry = new MetricRegistry(kind, clientId, clock, sampling);
    this.logger = guarded(logger);
    this.#kind = kind;
    this.#clientId = clientId;
    this.#clock = clock;
    this.#diagnostics = new Diagnostics(networkChannels, diagnostics);
    this.#idleSinceMs = clock.now();
    const group = this.registry.group("metrics");
    this.#client = group.sensors(clientMetrics);
    group.gauge(connectionCount, () => this.#connected.size);
  }

  /** A connection takes requests. @param durationMs since it was begun */
  connected(peer: ConnectionPeer, durationMs: number): void {
    this.#connected.add(peer);
    this.#client.connectionCreated.record(1, this.#clock.now());
    this.logger.debug(`connected to ${nodeText(peer)} at ${addressText(peer)}`, { ...this.#context(peer), durationMs });
    if (this.#diagnostics.isHeard("odradek:connect")) {
      this.#diagnostics.tell("odradek:connect", { ...this.#message(peer), durationMs });
    }
  }

  /** A connection ended, or could not be set up. @param expected whether we wanted it closed */
  disconnected(peer: ConnectionPeer, cause: Error, expected: boolean): void {
    const wasConnected = this.#connected.delete(peer);
    this.#client.connectionClosed.record(1, this.#clock.now());
    this.#logDisconnect(peer, cause, expected, wasConnected);
    if (this.#diagnostics.isHeard("odradek:disconnect")) {
      const ended = { error: cause, expected, wasConnected };
      this.#diagnostics.tell("odradek:disconnect", { ...this.#message(peer), ...ended });
    }
    this.#forgetIfGone(peer.nodeId);
  }

  /**
   * A request was handed to the socket.
   *
   * @param bytes of the frame, its length included
   * @param inFlight how many others of the connection wait for their answers
   */
  requestSent(peer: ConnectionPeer, request: ObservedRequest, bytes: number, inFlight: number): void {
    const nowMs = this.#clock.now();
    this.#client.requestBytes.record(bytes, nowMs);
    this.#client.networkIo.record(bytes, nowMs);
    this.#node(peer).requestBytes.record(bytes, nowMs);
    if (this.#diagnostics.isHeard("odradek:request")) {
      this.#diagnostics.tell("odradek:request", { ...this.#messageOf(peer, request), bytes, inFlight });
    }
  }

  /** A request has its answer. @param bytes of the frame, its length included */
  responseReceived(peer: ConnectionPeer, request: ObservedRequest, bytes: number, latencyMs: number): void {
    const nowMs = this.#clock.now();
    this.#client.responseBytes.record(bytes, nowMs);
    const node = this.#node(peer);
    node.responseBytes.record(bytes, nowMs);
    node.latencyMs.record(latencyMs, nowMs);
    if (this.#diagnostics.isHeard("odradek:response")) {
      this.#diagnostics.tell("odradek:response", { ...this.#messageOf(peer, request), bytes, latencyMs });
    }
  }

  /** A request has no answer in time. The end of its connection is told besides, by `disconnected`. */
  requestTimedOut(peer: ConnectionPeer, request: ObservedRequest, elapsedMs: number): void {
    if (!this.#diagnostics.isHeard("odradek:request-timeout")) return;
    this.#diagnostics.tell("odradek:request-timeout", { ...this.#messageOf(peer, request), elapsedMs });
  }

  /**
   * A socket had bytes for us, and they were handled. Java's selector is Node's event loop here, and one select is one time
   * that the loop came to us with bytes. What passed since the last time was waiting, whatever else the process did in it.
   *
   * @param handlingMs how long the frames in those bytes took, decoding included
   * @param nowMs when that was done
   */
  io(peer: ConnectionPeer, bytes: number, handlingMs: number, nowMs: number): void {
    const waitMs = Math.max(0, nowMs - handlingMs - this.#idleSinceMs);
    this.#idleSinceMs = nowMs;
    this.#client.waitNs.record(waitMs * nsPerMs, nowMs);
    this.#client.ioNs.record(handlingMs * nsPerMs, nowMs);
    this.#client.networkIo.record(bytes, nowMs);
    this.#client.receivedBytes.record(bytes, nowMs);
    this.#node(peer).receivedBytes.record(bytes, nowMs);
  }

  /** An answer says that the client is to wait. @param throttleTimeMs more than 0 */
  throttled(peer: ConnectionPeer, api: string, throttleTimeMs: number): void {
    this.#node(peer).throttleMs.record(throttleTimeMs, this.#clock.now());
    const text = `${nodeText(peer)} wants ${throttleTimeMs} ms of pause after ${api}: a quota is used up`;
    this.logger.debug(text, { ...this.#context(peer), api, throttleTimeMs });
    if (this.#diagnostics.isHeard("odradek:throttle")) {
      this.#diagnostics.tell("odradek:throttle", { ...this.#message(peer), api, throttleTimeMs });
    }
  }

  /** @param isReauthentication whether the connection had been authenticated before, and its session was about to end */
  authenticated(peer: ConnectionPeer, mechanism: string, durationMs: number, isReauthentication: boolean): void {
    const sensor = isReauthentication ? this.#client.reauthenticationMs : this.#client.authenticated;
    sensor.record(durationMs, this.#clock.now());
    const text = `authenticated with ${nodeText(peer)}${isReauthentication ? " again" : ""} by ${mechanism}`;
    this.logger.debug(text, { ...this.#context(peer), mechanism, durationMs, isReauthentication });
  }

  /** The end of the connection is told besides, by `disconnected`. */
  authenticationFailed(peer: ConnectionPeer, error: AuthenticationError, isReauthentication: boolean): void {
    const sensor = isReauthentication ? this.#client.reauthenticationFailed : this.#client.authenticationFailed;
    sensor.record(1, this.#clock.now());
    const { mechanism, reason } = error;
    this.logger.error(error.message, { ...this.#context(peer), mechanism, reason, isReauthentication });
    if (this.#diagnostics.isHeard("odradek:authentication-failure")) {
      this.#diagnostics.tell("odradek:authentication-failure", { ...this.#message(peer), error, isReauthentication });
    }
  }

  /**
   * Lets go of the metrics of brokers that the cluster has no more, each when its last connection ended. Bootstrap servers
   * are few, and stay.
   */
  retainNodes(nodeIds: Iterable<number>): void {
    this.#nodeIds = new Set(nodeIds);
    for (const nodeId of this.#nodes.keys()) this.#forgetIfGone(nodeId);
  }

  #forgetIfGone(nodeId: number): void {
    if (nodeId < 0 || this.#nodeIds === null || this.#nodeIds.has(nodeId)) return;
    for (const peer of this.#connected) if (peer.nodeId === nodeId) return;
    this.#nodes.get(nodeId)?.group.remove();
    this.#nodes.delete(nodeId);
  }

  #logDisconnect(peer: ConnectionPeer, cause: Error, expected: boolean, wasConnected: boolean): void {
    // Was said at length when it failed.
    if (cause instanceof AuthenticationError) return;
    const context = this.#context(peer);
    if (expected) this.logger.debug(`closed the connection to ${nodeText(peer)}`, context);
    else if (wasConnected) this.logger.info(`lost ${nodeText(peer)}: ${cause.message}`, context);
    else this.logger.warn(`could not reach ${nodeText(peer)}: ${cause.message}`, context);
  }

  #node({ nodeId }: ConnectionPeer): NodeSensors["sensors"] {
    let node = this.#nodes.get(nodeId);
    if (node === undefined) {
      const group = this.registry.group("node-metrics", { "node-id": `node-${nodeId}` });
      node = { group, sensors: group.sensors(nodeMetrics) };
      this.#nodes.set(nodeId, node);
    }
    return node.sensors;
  }

  #context({ nodeId, host, port, purpose }: ConnectionPeer): LogContext {
    return { clientId: this.#clientId, nodeId, host, port, purpose };
  }

  #message({ nodeId, host, port, purpose }: ConnectionPeer): ConnectionMessage {
    return { kind: this.#kind, clientId: this.#clientId, nodeId, host, port, purpose };
  }

  #messageOf(peer: ConnectionPeer, { api, version: apiVersion, correlationId }: ObservedRequest) {
    return { ...this.#message(peer), api: api.name, apiKey: api.key, apiVersion, correlationId };
  }
}

/** Without its address, which errors of connections say themselves. */
const nodeText = ({ nodeId }: ConnectionPeer): string => (nodeId < 0 ? "a bootstrap server" : `broker ${nodeId}`);
