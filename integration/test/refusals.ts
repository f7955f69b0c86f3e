import { generateKeyPairSync } from "node:crypto";
import { type AuthenticationFailure, type SaslOptions, type SslOptions, StateError } from "odradek";
import type { ClientListener } from "../cluster/listeners.ts";
import type { ClusterSecurity } from "../cluster/security/security.ts";

/** How somebody comes to a broker. */
export interface Credentials {
  readonly ssl?: SslOptions;
  readonly sasl?: SaslOptions;
}

/** Whom a broker does not let in, and what the client says of it. */
export interface Refusal {
  readonly who: string;
  readonly listener: ClientListener;
  readonly given: (security: ClusterSecurity) => Credentials;
  readonly reason: AuthenticationFailure;
  readonly mechanism: string;
  /** What another does right at the same listener. */
  readonly right: (security: ClusterSecurity) => Credentials;
}

const noToken = new StateError("the vault is closed");
const unknownKey = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
export const wrongPassword = "password-of-nobody";
/** All that was shown to brokers and providers, besides what the cluster knows itself. */
export const shownTokens: string[] = [];

const bearing = (token: { readonly value: string; readonly expiresAtMs: number }): Credentials => {
  shownTokens.push(token.value);
  return { sasl: { mechanism: "OAUTHBEARER", token: () => token } };
};

const passwordRefusal = (
  mechanism: "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512",
  username: string,
  password: string,
): Refusal => ({
  who: `${username} with ${password} by ${mechanism}`,
  listener: "SASL_PLAINTEXT",
  given: () => ({ sasl: { mechanism, username, password } }),
  reason: "credentialsRefused",
  mechanism,
  right: ({ passwords }) => ({ sasl: { mechanism, username: "alice", password: passwords.alice } }),
});

const bearerRefusal = (
  who: string,
  listener: ClientListener,
  given: (security: ClusterSecurity) => Credentials,
  reason: AuthenticationFailure = "credentialsRefused",
): Refusal => ({
  who,
  listener,
  given,
  reason,
  mechanism: "OAUTHBEARER",
  right: ({ tokens }) => bearing(listener === "OAUTH" ? tokens.token("alice") : tokens.unsecuredToken("alice")),
});

const tlsRefusal = (
  who: string,
  listener: "SSL" | "MTLS" | "SASL_SSL",
  given: (security: ClusterSecurity) => Credentials,
  reason: AuthenticationFailure,
): Refusal => ({
  who,
  listener,
  given,
  reason,
  mechanism: "TLS",
  right: ({ certificates: { ca, client }, passwords }) => ({
    ssl: { ca, ...client },
    ...(listener === "SASL_SSL" && {
      sasl: { mechanism: "PLAIN", username: "alice", password: passwords.alice },
    }),
  }),
});

const alice = (password: string): SaslOptions => ({ mechanism: "PLAIN", username: "alice", password });

export const refusals: readonly Refusal[] = [
  passwordRefusal("PLAIN", "alice", wrongPassword),
  passwordRefusal("PLAIN", "mallory", wrongPassword),
  passwordRefusal("SCRAM-SHA-256", "alice", wrongPassword),
  passwordRefusal("SCRAM-SHA-256", "mallory", wrongPassword),
  passwordRefusal("SCRAM-SHA-512", "alice", wrongPassword),
  // He has a credential for the other digest only.
  passwordRefusal("SCRAM-SHA-512", "bob", "bob-secret"),
  {
    ...passwordRefusal("PLAIN", "alice", wrongPassword),
    who: "alice with password-of-nobody over TLS",
    listener: "SASL_SSL",
    given: ({ certificates: { ca } }) => ({ ssl: { ca }, sasl: alice(wrongPassword) }),
    right: ({ certificates: { ca }, passwords }) => ({ ssl: { ca }, sasl: alice(passwords.alice) }),
  },
  {
    ...bearerRefusal("who comes with a password where tokens are taken", "OAUTH", ({ passwords }) => ({
      sasl: alice(passwords.alice),
    })),
    reason: "mechanismRefused",
    mechanism: "PLAIN",
  },
  {
    who: "who has a password where nobody asks for one",
    listener: "PLAINTEXT",
    given: ({ passwords }) => ({ sasl: alice(passwords.alice) }),
    reason: "mechanismRefused",
    mechanism: "PLAIN",
    right: () => ({}),
  },
  bearerRefusal("who has a token that expired", "SASL_PLAINTEXT", ({ tokens }) =>
    bearing({ ...tokens.unsecuredToken("alice", { lifetimeMs: -60_000 }), expiresAtMs: Date.now() + 60_000 }),
  ),
  bearerRefusal("who has a signed token that expired", "OAUTH", ({ tokens }) =>
    bearing({ ...tokens.token("alice", { lifetimeMs: -60_000 }), expiresAtMs: Date.now() + 60_000 }),
  ),
  bearerRefusal("who has a token for others", "OAUTH", ({ tokens }) =>
    bearing(tokens.token("alice", { audience: "others" })),
  ),
  bearerRefusal("who has a token that nobody signed", "OAUTH", ({ tokens }) => bearing(tokens.unsecuredToken("alice"))),
  bearerRefusal(
    "whom the identity provider does not know",
    "OAUTH",
    ({ tokens: { endpointUrl: tokenEndpointUrl } }) => ({
      sasl: { mechanism: "OAUTHBEARER", tokenEndpointUrl, clientId: "alice", clientSecret: wrongPassword },
    }),
    "credentialsUnavailable",
  ),
  bearerRefusal(
    "who signs an assertion with a key that the identity provider does not know",
    "OAUTH",
    ({ tokens: { endpointUrl: tokenEndpointUrl } }) => ({
      sasl: {
        mechanism: "OAUTHBEARER",
        tokenEndpointUrl,
        assertion: { privateKey: unknownKey, subject: "alice", audience: tokenEndpointUrl },
      },
    }),
    "credentialsUnavailable",
  ),
  bearerRefusal(
    "who has no token to show",
    "OAUTH",
    () => ({ sasl: { mechanism: "OAUTHBEARER", token: () => Promise.reject(noToken) } }),
    "credentialsUnavailable",
  ),
  tlsRefusal("who trusts the usual authorities", "SSL", () => ({ ssl: true }), "certificateUntrusted"),
  tlsRefusal(
    "who trusts another authority",
    "SSL",
    ({ certificates: { stranger } }) => ({ ssl: { ca: stranger.cert } }),
    "certificateUntrusted",
  ),
  tlsRefusal(
    "who trusts another authority, and has the password",
    "SASL_SSL",
    ({ certificates: { stranger }, passwords }) => ({ ssl: { ca: stranger.cert }, sasl: alice(passwords.alice) }),
    "certificateUntrusted",
  ),
  tlsRefusal(
    "who expects another host",
    "SSL",
    ({ certificates: { ca } }) => ({ ssl: { ca, servername: "elsewhere.invalid" } }),
    "certificateHostMismatch",
  ),
  tlsRefusal("who has no certificate", "MTLS", ({ certificates: { ca } }) => ({ ssl: { ca } }), "certificateRefused"),
  tlsRefusal(
    "whose certificate nobody knows",
    "MTLS",
    ({ certificates: { ca, stranger } }) => ({ ssl: { ca, ...stranger } }),
    "certificateRefused",
  ),
  tlsRefusal(
    "whose certificate expired",
    "MTLS",
    ({ certificates: { ca, expired } }) => ({ ssl: { ca, ...expired } }),
    "certificateRefused",
  ),
];
