import { connect } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { FrameWriter } from "../src/frame-writer.ts";
import { quiet } from "./passing.ts";
import { ScriptedPeer } from "./scripted-peer.ts";
import { until } from "./until.ts";

/** A socket to a peer, what the peer received, and a way to have it read at last. */
const written = async (reads: boolean) => {
  const received: Buffer[] = [];
  const peer = await ScriptedPeer.listen(({ socket }) => {
    const read = (chunk: Buffer) => received.push(chunk);
    if (reads) socket.on("data", read);
  });
  const socket = connect({ ...peer.address, noDelay: true });
  onTestFinished(() => {
    socket.destroy();
  });
  await until(() => peer.connections.length === 1 && socket.readyState === "open");
  return { writer: new FrameWriter(socket), socket, received };
};

describe("a frame writer", () => {
  test("writes the chunks of frames in order, and tells when each frame's buffers are free", async () => {
    const { writer, received } = await written(true);
    const free: string[] = [];
    writer.write([Buffer.from("1st "), Buffer.from("frame, ")], 1_000, () => free.push("first"));
    writer.write([Buffer.from("2nd frame")], 2_000, () => free.push("second"));
    expect(writer.unwritten).toBe(2);
    await until(() => free.length === 2);
    expect(free).toEqual(["first", "second"]);
    expect(writer.unwritten).toBe(0);
    await until(() => Buffer.concat(received).length === 20);
    expect(Buffer.concat(received).toString()).toBe("1st frame, 2nd frame");
  });

  test("hands a frame of many chunks to the socket at once, none of them joined", async () => {
    const { writer, socket } = await written(true);
    const handed: Buffer[][] = [];
    const writev = socket._writev?.bind(socket);
    socket._writev = (chunks, callback) => {
      handed.push(chunks.map(({ chunk }) => chunk));
      writev?.(chunks, callback);
    };
    const chunks = [Buffer.from("header"), Buffer.alloc(100_000), Buffer.from("trailer")];
    await new Promise((resolve) => writer.write(chunks, 1_000, resolve));
    expect(handed.map((buffers) => buffers.map(({ length }) => length))).toEqual([[6, 100_000, 7]]);
    expect(handed[0]?.every((buffer, index) => buffer === chunks[index])).toBe(true);
  });

  test("is full while the peer does not read, and frees the buffers when the socket is destroyed", async () => {
    const { writer, socket } = await written(false);
    let isFree = false;
    writer.write([Buffer.alloc(32 * 1_048_576)], 1_000, () => {
      isFree = true;
    });
    expect(writer.isFull).toBe(true);
    // All that a peer takes that does not read has come to it.
    await quiet();
    expect(isFree).toBe(false);
    socket.destroy();
    await until(() => isFree);
    expect(writer.unwritten).toBe(0);
  });
});
