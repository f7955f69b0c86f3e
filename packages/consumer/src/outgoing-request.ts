import type { Body, NetworkClient, Purpose, SendOptions } from "@odradek/network";
import type { Api, Fields, Output } from "@odradek/protocol";

/** A request that is due. Who made it knows no socket; the consumer, which sends it, need not know what it is about. */
export interface OutgoingRequest {
  readonly nodeId: number;
  readonly purpose: Purpose;
  /** Writes it to its node, which must be ready, and hands the answer or the failure to who made it. */
  send(network: Pick<NetworkClient, "send">): Promise<void>;
}

/** What is to be sent now, and when to ask again if nothing happens before. */
export interface Due<R extends OutgoingRequest = OutgoingRequest> {
  readonly requests: readonly R[];
  /** In the clock's time; `Infinity` where only an event will bring something. */
  readonly nextMs: number;
}

/** The requests of one API, such as `RequestTo<typeof Fetch>`. */
export type RequestTo<A extends Api> = A extends Api<infer Req, infer Res> ? ApiRequest<Req, Res> : never;

/** What `ApiRequest` is made of. */
export interface ApiRequestParts<Req extends Fields, Res extends Fields> {
  readonly nodeId: number;
  readonly api: Api<Req, Res>;
  readonly body: Body<Req>;
  readonly options?: SendOptions;
  readonly onAnswer: (answer: Output<Res>) => void;
  readonly onFailure: (error: Error) => void;
}

/** An outgoing request of one API. */
export class ApiRequest<Req extends Fields, Res extends Fields> implements OutgoingRequest {
  readonly nodeId: number;
  readonly parts: ApiRequestParts<Req, Res>;

  constructor(parts: ApiRequestParts<Req, Res>) {
    this.nodeId = parts.nodeId;
    this.parts = parts;
  }

  get purpose(): Purpose {
    return this.parts.options?.purpose ?? "main";
  }

  async send(network: Pick<NetworkClient, "send">): Promise<void> {
    const { nodeId, api, body, options, onAnswer, onFailure } = this.parts;
    let answer: Output<Res>;
    try {
      answer = await network.send(nodeId, api, body, options);
    } catch (error) {
      onFailure(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    onAnswer(answer);
  }
}
