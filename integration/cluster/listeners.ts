import { type ClusterPlan, hasKraft } from "./plan.ts";

/** The listeners that a broker can have, by the name that the launcher gives them, with what is spoken there. */
export const listeners = {
  /** Of the KRaft quorum. */
  CONTROLLER: "PLAINTEXT",
  /** Of the brokers among themselves. */
  BROKER: "PLAINTEXT",
  PLAINTEXT: "PLAINTEXT",
  SSL: "SSL",
  /** TLS that asks the client for a certificate too. */
  MTLS: "SSL",
  /** PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, and OAUTHBEARER with unsecured tokens. */
  SASL_PLAINTEXT: "SASL_PLAINTEXT",
  SASL_SSL: "SASL_SSL",
  /** OAUTHBEARER with signed tokens. */
  OAUTH: "SASL_PLAINTEXT",
} as const;

export type Listener = keyof typeof listeners;

/** A listener that is there for clients. */
export type ClientListener = Exclude<Listener, "CONTROLLER" | "BROKER">;

/** Whether only brokers come to it. */
export const isInternal = (listener: Listener): boolean => listener === "CONTROLLER" || listener === "BROKER";

/** What a secure cluster has beside the plain listener. */
export const secureListeners: readonly ClientListener[] = ["SSL", "MTLS", "SASL_PLAINTEXT", "SASL_SSL", "OAUTH"];

/** The listeners that each broker of a cluster has. */
export function listenersOf(plan: ClusterPlan): Listener[] {
  const quorum: Listener[] = hasKraft(plan) ? ["CONTROLLER"] : [];
  const secure = plan.security === undefined ? [] : secureListeners;
  return [...quorum, "BROKER", "PLAINTEXT", ...secure];
}
