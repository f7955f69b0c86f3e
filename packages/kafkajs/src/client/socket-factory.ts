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
  ({ host, port, signal }) =>
    new Promise((resolve, reject) => {
      let socket: Socket | null = null;
      let isConnected = false;
      const settle = () => {
        if (socket === null || !isConnected) return;
        socket.off("error", reject);
        resolve(socket);
      };
      const args = {
        host,
        port,
        ssl: ssl ?? null,
        onConnect() {
          isConnected = true;
          settle();
        },
      };
      const made: Socket = Reflect.apply(factory, undefined, [args]);
      made.on("error", reject);
      made.once("close", () => reject(new Error("the socket was closed before it was connected")));
      signal.addEventListener("abort", () => {
        if (!isConnected) made.destroy();
      });
      socket = made;
      settle();
    });
