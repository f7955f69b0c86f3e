import { Connection } from "../src/connection.ts";
import type { ConnectionOptions } from "../src/connection-options.ts";
import type { Address } from "../src/errors.ts";
import type { NetworkObserver } from "../src/observation/network-observer.ts";
import { ManualClock } from "./manual-clock.ts";
import { silentObserver } from "./silent-observer.ts";

/** A connection to a scripted peer, and what it told its listener. */
export class OpenedConnection {
  readonly clock = new ManualClock();
  readonly observer: NetworkObserver = silentObserver(this.clock);
  readonly connection: Connection;
  /** Resolves when requests may be sent; rejects where it closes before. */
  readonly ready: Promise<Connection>;
  /** Resolves with the reason. */
  readonly closed: Promise<Error>;
  /** Each call of the listener, in order. */
  readonly calls: string[] = [];

  constructor(address: Address, options: Partial<ConnectionOptions> = {}) {
    const complete: ConnectionOptions = {
      clientId: "test",
      clusterId: null,
      requestTimeoutMs: 30_000,
      setupTimeoutMs: 10_000,
      receiveMessageMaxBytes: 104_857_600,
      receiveMessageMaxItems: 1_000_000,
      connectionsMaxIdleMs: Number.POSITIVE_INFINITY,
      throttleTimeMaxMs: 600_000,
      tls: null,
      sasl: null,
      socketFactory: null,
      avoidAddress: null,
      ...options,
    };
    let onReady: () => void = () => {};
    let onClosed: (cause: Error) => void = () => {};
    const opened = new Promise<void>((resolve) => {
      onReady = resolve;
    });
    this.closed = new Promise((resolve) => {
      onClosed = resolve;
    });
    const { clock, observer } = this;
    this.connection = new Connection({ ...address, nodeId: 1, purpose: "main" }, complete, clock, observer, {
      onReady: () => {
        this.calls.push("ready");
        onReady();
      },
      onRoom: () => this.calls.push("room"),
      onClosed: (cause) => {
        this.calls.push("closed");
        onClosed(cause);
      },
    });
    this.ready = Promise.race([
      opened.then(() => this.connection),
      this.closed.then((cause) => {
        throw cause;
      }),
    ]);
    // Tests of a connection that never becomes ready look at `closed` instead.
    this.ready.catch(() => {});
  }
}
