import { type Channel, channel } from "node:diagnostics_channel";
import type { Purpose } from "../connection-peer.ts";
import type { AuthenticationError } from "../errors.ts";
import type { ClientKind } from "./metric-registry.ts";

/** What every message says: whose connection, and to whom. */
export interface ConnectionMessage {
  readonly kind: ClientKind;
  readonly clientId: string;
  /** The broker's id; negative for a bootstrap server, of which none is known yet. */
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly purpose: Purpose;
}

/** `odradek:connect`: a connection takes requests. */
export interface ConnectMessage extends ConnectionMessage {
  /** How long it took to set it up. */
  readonly durationMs: number;
}

/** `odradek:disconnect`: a connection ended, or could not be set up. */
export interface DisconnectMessage extends ConnectionMessage {
  readonly error: Error;
  /** Whether it was the client that wanted it closed. */
  readonly expected: boolean;
  /** Whether it had been set up. */
  readonly wasConnected: boolean;
}

/** `odradek:request`: a request was handed to the socket. */
export interface RequestMessage extends ConnectionMessage {
  /** Kafka's name of the API, such as `Produce`. */
  readonly api: string;
  readonly apiVersion: number;
  /** The same in the answer; unique among the requests under way on the connection. */
  readonly correlationId: number;
  /** The whole frame, its length included. */
  readonly bytes: number;
}

/** `odradek:response`: a request has its answer. */
export interface ResponseMessage extends RequestMessage {
  /** From the request to the answer. */
  readonly latencyMs: number;
}

/** `odradek:throttle`: a broker says that a quota is used up. */
export interface ThrottleMessage extends ConnectionMessage {
  readonly api: string;
  /** How long the client is to wait. */
  readonly throttleTimeMs: number;
}

/** `odradek:authentication-failure`: the broker and the client do not trust each other. */
export interface AuthenticationFailureMessage extends ConnectionMessage {
  readonly error: AuthenticationError;
  /** Whether the connection had been authenticated before. */
  readonly isReauthentication: boolean;
}

/** The messages of each channel of `node:diagnostics_channel`. They are frozen, and hold no secret and nothing of a record. */
export interface DiagnosticsMessages {
  readonly "odradek:connect": ConnectMessage;
  readonly "odradek:disconnect": DisconnectMessage;
  readonly "odradek:request": RequestMessage;
  readonly "odradek:response": ResponseMessage;
  readonly "odradek:throttle": ThrottleMessage;
  readonly "odradek:authentication-failure": AuthenticationFailureMessage;
}

const channelOf = (name: keyof DiagnosticsMessages): Channel => channel(name);

/**
 * Looked up once: a channel knows by itself whether somebody listens. Look before a message is built. A listener that throws
 * does not get in the way: Node tells of it as an `uncaughtException`, later.
 */
export const channels = Object.freeze({
  connect: channelOf("odradek:connect"),
  disconnect: channelOf("odradek:disconnect"),
  request: channelOf("odradek:request"),
  response: channelOf("odradek:response"),
  throttle: channelOf("odradek:throttle"),
  authenticationFailure: channelOf("odradek:authentication-failure"),
});
