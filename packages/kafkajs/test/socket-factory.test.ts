import { Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { type ISocketFactoryArgs, socketFactoryOf } from "../src/client/socket-factory.ts";

const target = (signal = new AbortController().signal) => ({ host: "b", port: 9092, signal });

describe("a socket factory of kafkajs", () => {
  test("is told whom to connect to, and gives its socket when that is connected", async () => {
    const socket = new Socket();
    const asked: ISocketFactoryArgs[] = [];
    const factory = (args: ISocketFactoryArgs) => {
      asked.push(args);
      return socket;
    };
    const made = socketFactoryOf(factory, { servername: "s" })(target());
    expect(asked).toMatchObject([{ host: "b", port: 9092, ssl: { servername: "s" } }]);
    const first = await Promise.race([made, Promise.resolve("not yet")]);
    expect(first).toBe("not yet");
    asked[0]?.onConnect();
    expect(await made).toBe(socket);
  });

  test("may say that it is connected before it gives the socket, and fail afterwards", async () => {
    const socket = new Socket();
    const factory = ({ ssl, onConnect }: ISocketFactoryArgs) => {
      expect(ssl).toBe(null);
      onConnect();
      return socket;
    };
    const made = socketFactoryOf(factory, undefined)(target());
    expect(await made).toBe(socket);
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.destroy(new Error("reset"));
    await closed;
  });

  test("fails with what it throws, and with what befalls its socket", async () => {
    const lost = new Error("lost");
    const throws = () => {
      throw lost;
    };
    await expect(socketFactoryOf(throws, true)(target())).rejects.toBe(lost);
    await expect(socketFactoryOf(() => new Socket().destroy(lost), true)(target())).rejects.toBe(lost);
    await expect(socketFactoryOf(() => new Socket().destroy(), true)(target())).rejects.toThrow("closed before");
  });

  test("has its socket closed where nobody waits for it any more", async () => {
    const socket = new Socket();
    const stop = new AbortController();
    const made = socketFactoryOf(() => socket, true)(target(stop.signal));
    stop.abort();
    await expect(made).rejects.toThrow("closed before it was connected");
    expect(socket.destroyed).toBe(true);
  });
});
