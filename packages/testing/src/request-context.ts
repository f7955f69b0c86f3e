import {
  type Api,
  decodeRequest,
  encodeResponse,
  type Fields,
  type Frame,
  type Input,
  type Output,
} from "@odradek/protocol";
import type { Broker } from "./broker.ts";
import type { Cluster } from "./cluster.ts";
import type { Authentication } from "./security/authentication.ts";

/** Who asks, of whom, and what was arranged to go wrong. */
export interface RequestContext {
  readonly cluster: Cluster;
  readonly broker: Broker;
  readonly connection: Requester;
  readonly correlationId: number;
  readonly apiVersion: number;
  readonly clientId: string;
  /** `throttleTimeMs` of the answer, 0 unless it was asked for. */
  readonly throttleTimeMs: number;
  /** The error that was arranged for the request, or for one of its partitions; 0 for none. */
  failure(topic?: string, partition?: number): number;
}

/** The end of a connection as handlers see it. */
export interface Requester {
  readonly clientHost: string;
  readonly authentication: Authentication;
  /** `false` once the client has gone: nobody waits for the answer any more. */
  readonly isOpen: boolean;
  /** Calls `onClose` when the client goes, until the returned function is called. */
  onClose(run: () => void): () => void;
  close(): void;
  /** Closes the connection once the answer to this request is sent. */
  closeBehindAnswer(): void;
}

/** `null` where the request has no answer. */
type Answer<Res extends Fields> = Input<Res> | null;

interface HandlerDeclaration<Req extends Fields, Res extends Fields> {
  readonly api: Api<Req, Res>;
  readonly handle: (request: Output<Req>, context: RequestContext) => Answer<Res> | Promise<Answer<Res>>;
  /**
   * The answer that tells of an error of the whole request. Left out where each partition has an error of its own: the
   * handler then asks for the arranged one itself.
   */
  readonly refuse?: (errorCode: number, request: Output<Req>, context: RequestContext) => Input<Res>;
}

/** What a broker does about one API. */
export interface Handler<Req extends Fields = Fields, Res extends Fields = Fields> {
  readonly api: Api<Req, Res>;
  readonly hasErrorOfWhole: boolean;
  /** @throws DecodeError */
  decode(payload: Buffer, version: number): Output<Req>;
  /** @param request what `decode` gave */
  answer(request: Output<Req>, context: RequestContext): Frame | null | Promise<Frame | null>;
}

export function handler<const Req extends Fields, const Res extends Fields>(
  declaration: HandlerDeclaration<Req, Res>,
): Handler<Req, Res> {
  const { api, handle, refuse } = declaration;
  const encoded = (response: Answer<Res>, context: RequestContext): Frame | null => {
    if (response === null) return null;
    const { throttleTimeMs } = context;
    const told = throttleTimeMs > 0 ? { ...response, throttleTimeMs } : response;
    return encodeResponse(api, context.apiVersion, context.correlationId, told);
  };
  return {
    api,
    hasErrorOfWhole: refuse !== undefined,
    decode: (payload, version) => decodeRequest(api, version, payload),
    answer(request, context) {
      const errorCode = refuse === undefined ? 0 : context.failure();
      if (refuse !== undefined && errorCode !== 0) return encoded(refuse(errorCode, request, context), context);
      const response = handle(request, context);
      if (response instanceof Promise) return response.then((settled) => encoded(settled, context));
      return encoded(response, context);
    },
  };
}
