import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { decodeResponse, encodeResponse } from "@odradek/protocol";
import { Metadata } from "@odradek/protocol/messages/metadata";
import { freePorts, loopback } from "../../cluster/ports.ts";
import type { Address } from "../../cluster/wire.ts";
import { DelayLine } from "./delay-line.ts";
import { Frames, RequestHeads } from "./frames.ts";

/** Brokers that are to be as far away as that. */
export interface Distance {
  readonly brokers: readonly Address[];
  readonly addedMs: number;
}

/** @returns for each broker a port behind which it is further away */
async function open({ brokers, addedMs }: Distance): Promise<number[]> {
  const free = await freePorts(brokers.length);
  const ports = new Map(brokers.map((broker, index) => [key(broker), free[index] ?? 0]));
  for (const broker of brokers) {
    const server = createServer({ noDelay: true }, (client) => join(client, broker, addedMs, ports));
    server.listen(ports.get(key(broker)), loopback);
    await once(server, "listening");
  }
  return free;
}

/** Answers are held back, which for who asks is the same as a longer way in both directions. */
function join(client: Socket, broker: Address, addedMs: number, ports: ReadonlyMap<string, number>): void {
  const upstream = connect({ host: broker.host, port: broker.port, noDelay: true });
  const asked = new Map<number, number>();
  const heads = new RequestHeads(({ apiKey, apiVersion, correlationId }) => {
    if (apiKey === Metadata.key) asked.set(correlationId, apiVersion);
  });
  const delayed = new DelayLine<Buffer>(addedMs, (frame) => client.write(frame));
  const frames = new Frames((frame) => {
    const correlationId = frame.readInt32BE(4);
    const version = asked.get(correlationId);
    asked.delete(correlationId);
    delayed.push(version === undefined ? frame : relocated(frame, version, ports));
  });
  client.on("data", (chunk: Buffer) => {
    heads.read(chunk);
    upstream.write(chunk);
  });
  upstream.on("data", (chunk: Buffer) => frames.read(chunk));
  for (const [one, other] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    one.on("error", () => {});
    one.on("close", () => other.destroy());
  }
}

/** Metadata says where the brokers are: it has to name this process. */
function relocated(frame: Buffer, version: number, ports: ReadonlyMap<string, number>): Buffer {
  const response = decodeResponse(Metadata, version, frame.subarray(4));
  const brokers = response.brokers.map((broker) => {
    const port = ports.get(key(broker));
    return port === undefined ? broker : { ...broker, host: loopback, port };
  });
  const correlationId = frame.readInt32BE(4);
  return Buffer.concat(encodeResponse(Metadata, version, correlationId, { ...response, brokers }).chunks);
}

const key = ({ host, port }: Address): string => `${host}:${port}`;

process.once("message", (distance: Distance) => {
  open(distance).then(
    (ports) => process.send?.(ports),
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(1);
    },
  );
});
// The end of who asked is the end of this process too.
process.once("disconnect", () => process.exit());
