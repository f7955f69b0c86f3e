import { connect, isIP } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ISocketFactory } from "./socket-factory.ts";

const keepAliveMs = 60_000;

/** What opens sockets where nobody says otherwise, for factories that only change where they lead. */
export const defaultSocketFactory =
  (): ISocketFactory =>
  ({ host, port, ssl, onConnect }) => {
    const servername = isIP(host) === 0 ? { servername: host } : {};
    const socket = ssl
      ? connectTls({ host, port, ...servername, ...ssl }, onConnect)
      : connect({ host, port }, onConnect);
    return socket.setKeepAlive(true, keepAliveMs);
  };
