import { State } from "./state.ts";

/** What a connection goes through. Before it, and behind it, a broker is `disconnected` in Kafka's words. */
export const connectionStates = () =>
  new State("connecting", {
    connecting: ["checkingVersions", "closing"], // the host is looked up, TCP and TLS are set up
    checkingVersions: ["authenticating", "ready", "throttled", "closing"], // ApiVersions is under way
    authenticating: ["ready", "throttled", "draining", "closing"], // SASL is under way, and again before its session ends
    ready: ["authenticating", "throttled", "draining", "closing"], // takes requests
    throttled: ["ready", "draining", "closing"], // the broker reads nothing for a while
    draining: ["closing"], // takes no more requests; those under way are awaited
    closing: ["closed"], // the socket lets go of the buffers that it still holds
    closed: [], // for good: every request has its answer or its error
  });

export type ConnectionState = ReturnType<typeof connectionStates>["now"];
