import { type Api, encodeResponse, type Fields, type Input } from "@odradek/protocol";
import { ApiVersions } from "@odradek/protocol/messages/api-versions";
import { Fetch } from "@odradek/protocol/messages/fetch";
import { FindCoordinator } from "@odradek/protocol/messages/find-coordinator";
import { Heartbeat } from "@odradek/protocol/messages/heartbeat";
import { JoinGroup } from "@odradek/protocol/messages/join-group";
import { LeaveGroup } from "@odradek/protocol/messages/leave-group";
import { ListOffsets } from "@odradek/protocol/messages/list-offsets";
import { Metadata } from "@odradek/protocol/messages/metadata";
import { OffsetFetch } from "@odradek/protocol/messages/offset-fetch";
import { Produce } from "@odradek/protocol/messages/produce";
import { SyncGroup } from "@odradek/protocol/messages/sync-group";
import { type PeerConnection, type PeerRequest, ScriptedPeer } from "../../../network/test/scripted-peer.ts";

/** Writes an answer, good or bad; what it gives is the whole frame, `null` where it has written all itself. */
type Reaction = (request: PeerRequest, connection: PeerConnection) => Buffer | null | Promise<Buffer | null>;

/** What the broker is asked, up to the version in which it names topics and has but one key or group. */
const served = [
  ["apiVersions", ApiVersions, 5],
  ["metadata", Metadata, 13],
  ["listOffsets", ListOffsets, 11],
  ["fetch", Fetch, 12],
  ["produce", Produce, 12],
  ["findCoordinator", FindCoordinator, 3],
  ["joinGroup", JoinGroup, 9],
  ["syncGroup", SyncGroup, 5],
  ["heartbeat", Heartbeat, 4],
  ["leaveGroup", LeaveGroup, 5],
  ["offsetFetch", OffsetFetch, 7],
] as const satisfies readonly (readonly [string, Api, number])[];

type Served = (typeof served)[number][0];

/** What a broker does in place of what it should. */
export type Attack = Readonly<Partial<Record<Served, Reaction>>>;

/** A broker that knows `orders-0`, answers as it should, and attacks where it is told to. */
export async function hostileBroker(attack: Attack): Promise<number> {
  const peer = await ScriptedPeer.listen(async (connection) => {
    for (;;) {
      const request = await connection.next();
      const reaction = reactionTo(request);
      const bytes = await reaction(request, connection);
      if (bytes !== null) await written(connection, bytes);
    }
  });
  const { port } = peer.address;
  const good = goodBroker(port);
  const reactionTo = ({ apiKey }: PeerRequest): Reaction => {
    const [name] = served.find(([, { key }]) => key === apiKey) ?? [];
    if (name === undefined) throw new Error(`the client asks for API ${apiKey}, which it was not offered`);
    return attack[name] ?? good[name];
  };
  return port;
}

function goodBroker(port: number): Readonly<Record<Served, Reaction>> {
  return {
    apiVersions: answering(ApiVersions, {
      errorCode: 0,
      apiKeys: served.map(([, { key, versions }, maxVersion]) => ({
        apiKey: key,
        minVersion: versions[0],
        maxVersion,
      })),
    }),
    metadata: answering(Metadata, {
      brokers: [{ nodeId: 1, host: "127.0.0.1", port }],
      clusterId: null,
      controllerId: 1,
      topics: [
        {
          errorCode: 0,
          name: "orders",
          partitions: [{ errorCode: 0, partitionIndex: 0, leaderId: 1, replicaNodes: [1], isrNodes: [1] }],
        },
      ],
    }),
    listOffsets: answering(ListOffsets, {
      topics: [{ name: "orders", partitions: [{ partitionIndex: 0, errorCode: 0, offset: 0n, timestamp: -1n }] }],
    }),
    fetch: answering(Fetch, fetchOf(Buffer.alloc(0))),
    produce: answering(Produce, { responses: [] }),
    findCoordinator: answering(FindCoordinator, { nodeId: 1, host: "127.0.0.1", port }),
    joinGroup: leading,
    syncGroup: (request, connection) => {
      const [mine] = request.body(SyncGroup).assignments;
      const answer = { errorCode: 0, assignment: mine?.assignment ?? Buffer.alloc(0) };
      return answering(SyncGroup, answer)(request, connection);
    },
    heartbeat: answering(Heartbeat, { errorCode: 0 }),
    leaveGroup: answering(LeaveGroup, { errorCode: 0 }),
    offsetFetch: answering(OffsetFetch, {
      topics: [
        { name: "orders", partitions: [{ partitionIndex: 0, committedOffset: 0n, metadata: "", errorCode: 0 }] },
      ],
    }),
  };
}

/** Makes whoever joins the only member, and the leader. */
const leading: Reaction = (request, connection) => {
  const [{ name, metadata } = { name: "", metadata: Buffer.alloc(0) }] = request.body(JoinGroup).protocols;
  const place = { errorCode: 0, generationId: 1, protocolName: name, leader: "me", memberId: "me" };
  return answering(JoinGroup, { ...place, members: [{ memberId: "me", metadata }] })(request, connection);
};

const answering =
  <Res extends Fields>(api: Api<Fields, Res>, body: Input<Res>): Reaction =>
  ({ apiVersion, correlationId }) =>
    Buffer.concat(encodeResponse(api, apiVersion, correlationId, body).chunks);

/** A whole frame of any bytes behind the right correlation id. The parts may be large: they are not put together. */
export const raw =
  (...parts: readonly Buffer[]): Reaction =>
  async ({ correlationId }, connection) => {
    const bytes = parts.reduce((sum, part) => sum + part.length, 4);
    connection.write(Buffer.concat([int32(bytes), int32(correlationId)]));
    for (const part of parts) await written(connection, part);
    return null;
  };

/** A length, and zeros for as long as somebody takes them. */
export const flood =
  (announcedBytes: number): Reaction =>
  async (_, connection) => {
    const zeros = Buffer.alloc(1_048_576);
    connection.write(int32(announcedBytes));
    while (!connection.socket.destroyed) await written(connection, zeros);
    return null;
  };

/** A length and the first bytes of a frame of which no more comes. */
export const silence =
  (announcedBytes: number): Reaction =>
  async (_, connection) => {
    connection.write(Buffer.concat([int32(announcedBytes), Buffer.alloc(10_000)]));
    await connection.closed;
    return null;
  };

const written = (connection: PeerConnection, bytes: Buffer): Promise<void> =>
  new Promise((resolve) => {
    connection.socket.write(bytes, () => resolve());
  });

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

export function uvarint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Buffer.from([...bytes, rest]);
}

/** As many items as a compact array says, all the same but for the number that each begins with. */
export function items(count: number, template: string, numberAt: number | null): Buffer {
  const item = Buffer.from(template.replaceAll(" ", ""), "hex");
  const bytes = Buffer.alloc(count * item.length, item);
  if (numberAt !== null) for (let i = 0; i < count; i++) bytes.writeInt32BE(i, i * item.length + numberAt);
  return Buffer.concat([uvarint(count + 1), bytes]);
}

/** An answer to Fetch that has these batches. */
export const fetching =
  (records: Buffer): Reaction =>
  (request, connection) =>
    answering(Fetch, fetchOf(records))(request, connection);

const fetchOf = (records: Buffer) => ({
  throttleTimeMs: 0,
  responses: [
    {
      topic: "orders",
      partitions: [
        {
          partitionIndex: 0,
          errorCode: 0,
          highWatermark: 1_000_000n,
          lastStableOffset: 1_000_000n,
          abortedTransactions: null,
          records,
        },
      ],
    },
  ],
});
