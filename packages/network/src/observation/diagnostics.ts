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

interface MessageOfRequest extends ConnectionMessage {
  /** Kafka's name of the API, such as `Produce`. */
  readonly api: string;
  /** The number by which brokers know the API. */
  readonly apiKey: number;
  readonly apiVersion: number;
  /** The same in the answer; unique among the requests under way on the connection. */
  readonly correlationId: number;
}

/** `odradek:request`: a request was handed to the socket. */
export interface RequestMessage extends MessageOfRequest {
  /** The whole frame, its length included. */
  readonly bytes: number;
  /** How many requests of the connection were waiting for their answers by then. */
  readonly inFlight: number;
}

/** `odradek:response`: a request has its answer. */
export interface ResponseMessage extends MessageOfRequest {
  /** The whole frame, its length included. */
  readonly bytes: number;
  /** From the request to the answer. */
  readonly latencyMs: number;
}

/** `odradek:request-timeout`: a request has no answer in time; its connection is closed, which is told besides. */
export interface RequestTimeoutMessage extends MessageOfRequest {
  /** Since the request. */
  readonly elapsedMs: number;
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
  readonly "odradek:request-timeout": RequestTimeoutMessage;
  readonly "odradek:throttle": ThrottleMessage;
  readonly "odradek:authentication-failure": AuthenticationFailureMessage;
}

/**
 * Who listens to one client alone: a function for each channel that is of interest, by its name. It is looked up anew for each
 * message, so functions may come and go; while there is none, and the channel has no subscribers, a message is not even made.
 */
export type DiagnosticsListener<Messages = DiagnosticsMessages> = {
  readonly [Name in keyof Messages]?: ((message: Messages[Name]) => void) | undefined;
};

/** Listens to nothing: the default. */
export const noListener: DiagnosticsListener = Object.freeze({});

/** Whether something that a user gave can be a listener. It may have more in it than that: its functions are its methods. */
export const isDiagnosticsListener = (value: unknown): value is DiagnosticsListener =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  Object.entries(value).every(([name, of]) => !name.startsWith("odradek:") || of === undefined || isFunction(of));

const isFunction = (value: unknown): boolean => typeof value === "function";

/**
 * Where a client says what it does: to the subscribers of the process' channels, and to its own listener. Look whether anybody
 * listens before a message is built. What a listener throws does not get in the way: Node tells of it as an `uncaughtException`, later.
 */
export class Diagnostics<Messages extends object> {
  readonly #channels: Readonly<Record<keyof Messages, Channel>>;
  readonly #listener: DiagnosticsListener<Messages>;

  /** @param channels looked up once: a channel knows by itself whether it has subscribers */
  constructor(channels: Readonly<Record<keyof Messages, Channel>>, listener: DiagnosticsListener<Messages>) {
    this.#channels = channels;
    this.#listener = listener;
  }

  isHeard(name: keyof Messages): boolean {
    return this.#channels[name].hasSubscribers || this.#listener[name] !== undefined;
  }

  tell<Name extends keyof Messages>(name: Name, message: Messages[Name]): void {
    Object.freeze(message);
    this.#channels[name].publish(message);
    try {
      this.#listener[name]?.(message);
    } catch (error) {
      process.nextTick(() => {
        throw error;
      });
    }
  }
}

/** What is said of connections. */
export const networkChannels: Readonly<Record<keyof DiagnosticsMessages, Channel>> = Object.freeze({
  "odradek:connect": channel("odradek:connect"),
  "odradek:disconnect": channel("odradek:disconnect"),
  "odradek:request": channel("odradek:request"),
  "odradek:response": channel("odradek:response"),
  "odradek:request-timeout": channel("odradek:request-timeout"),
  "odradek:throttle": channel("odradek:throttle"),
  "odradek:authentication-failure": channel("odradek:authentication-failure"),
});
