import type { Socket } from "node:net";
import type { ConnectionOptions } from "node:tls";
import type { SocketFactory } from "odradek";

export interface ISocketFactoryArgs {
  host: string;
  port: number;
  /** As `new Kafka` has it, `null` where it says nothing: the factory itself encrypts. */
  ssl: ConnectionOptions;
  /** To be called once the connection is there, encrypted where it is to be. */
  onConnect: () => void;
}

/** Opens the sockets to brokers. What it gives may still be connecting. */
export type ISocketFactory = (args: ISocketFactoryArgs) => Socket;

/** The factory as the layer below takes it: a promise of a socket that is kept when `onConnect` is called. */
export const socketFactoryOf =
  (factory: ISocketFactory, ssl: unknown): SocketFactory =>
  async ({ host, port, signal }) => {
    let onConnect = () => {};
    const connected = new Promise<void>((resolve) => {
      onConnect = resolve;
    });
    const socket: Socket = Reflect.apply(factory, undefined, [{ host, port, ssl: ssl ?? null, onConnect }]);
    // The listener stays: an error that comes before the layer below listens would else be thrown.
    const failed = new Promise<never>((_, reject) => {
      socket.on("error", reject);
      socket.once("close", () => reject(new Error("the socket was closed before it was connected")));
    });
    const giveUp = () => socket.destroy();
    signal.addEventListener("abort", giveUp);
    try {
      await Promise.race([connected, failed]);
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
    return socket;
  };
