import {
  avgAndMax,
  countMeter,
  type MetricDefinition,
  measures,
  meter,
  type SensorMetric,
} from "./metric-definition.ts";

/** Of all connections of a client, by what is recorded: the group `{kind}-metrics`, with the tag `client-id`. */
export const clientMetrics = Object.freeze({
  connectionCreated: countMeter("connection-creation", "Connections that were set up"),
  connectionClosed: countMeter("connection-close", "Connections that ended, or could not be set up"),
  networkIo: countMeter("network-io", "Reads and writes on all connections"),
  requestBytes: [
    ...countMeter("request", "Requests sent"),
    ...avgAndMax("request-size", "size of a request, bytes"),
    ...meter("outgoing-byte", "Bytes sent to all brokers"),
  ],
  responseBytes: countMeter("response", "Answers received"),
  receivedBytes: meter("incoming-byte", "Bytes received from all brokers"),
  waitNs: [
    ...countMeter("select", "Times that a socket had something for the client"),
    {
      name: "io-wait-time-ns-avg",
      description: "Average time until a socket had something for the client, nanoseconds",
      measure: measures.avg,
    },
    {
      name: "io-wait-time-ns-total",
      description: "Time until a socket had something for the client, in all, nanoseconds",
      measure: measures.total,
    },
    {
      name: "io-wait-ratio",
      description: "Share of the time in which no socket had something for the client",
      measure: measures.ratioOfNs,
    },
  ],
  ioNs: [
    {
      name: "io-time-ns-avg",
      description: "Average time that it took to handle what a socket had, nanoseconds",
      measure: measures.avg,
    },
    {
      name: "io-time-ns-total",
      description: "Time that it took to handle what sockets had, in all, nanoseconds",
      measure: measures.total,
    },
    {
      name: "io-ratio",
      description: "Share of the time in which the client handled what sockets had",
      measure: measures.ratioOfNs,
    },
  ],
  authenticated: [
    ...countMeter("successful-authentication", "Connections that were authenticated"),
    {
      name: "successful-authentication-no-reauth-total",
      description:
        "The same as successful-authentication-total: no broker proves again who it is, which is what Kafka counts here",
      measure: measures.totalCount,
    },
  ],
  authenticationFailed: countMeter("failed-authentication", "Connections that could not be authenticated"),
  reauthenticationMs: [
    ...countMeter("successful-reauthentication", "Connections that were authenticated again"),
    ...avgAndMax("reauthentication-latency", "time that it took to authenticate again, milliseconds"),
  ],
  reauthenticationFailed: countMeter("failed-reauthentication", "Connections that could not be authenticated again"),
}) satisfies Readonly<Record<string, readonly SensorMetric[]>>;

/** Looked up, in the same group. */
export const connectionCount: MetricDefinition = Object.freeze({
  name: "connection-count",
  description: "Connections that are there now",
});

/**
 * Of all connections to one broker: the group `{kind}-node-metrics`, with the tags `client-id` and `node-id`. `throttle-time` is
 * ours: Kafka has it for Produce and Fetch only, and not by broker.
 */
export const nodeMetrics = Object.freeze({
  requestBytes: [
    ...countMeter("request", "Requests sent to the broker"),
    ...avgAndMax("request-size", "size of a request to the broker, bytes"),
    ...meter("outgoing-byte", "Bytes sent to the broker"),
  ],
  responseBytes: countMeter("response", "Answers received from the broker"),
  receivedBytes: meter("incoming-byte", "Bytes received from the broker"),
  latencyMs: avgAndMax("request-latency", "time from a request to the answer of the broker, milliseconds"),
  throttleMs: avgAndMax("throttle-time", "time that the broker made the client wait for its quota, milliseconds"),
}) satisfies Readonly<Record<string, readonly SensorMetric[]>>;

/** All metrics of the network by group, without the kind of client, as documentation and tests want them. */
export const networkMetrics: Readonly<Record<"metrics" | "node-metrics", readonly MetricDefinition[]>> = Object.freeze({
  metrics: Object.freeze([...Object.values(clientMetrics).flat(), connectionCount]),
  "node-metrics": Object.freeze(Object.values(nodeMetrics).flat()),
});
