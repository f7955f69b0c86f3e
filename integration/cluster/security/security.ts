import type { Address } from "../wire.ts";
import { type Certificates, issueCertificates } from "./certificates.ts";
import { TokenIssuer } from "./tokens.ts";
import { addScramUsers, passwordOf, users } from "./users.ts";

const pkg = "org.apache.kafka.common.security";
const scramLogin = `${pkg}.scram.ScramLoginModule required;`;
const bearerLogin = `${pkg}.oauthbearer.OAuthBearerLoginModule required;`;

/** The JVM option without which a broker refuses to ask a URL for keys. */
export const allowingUrl = (url: string): string => `-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=${url}`;

/** Both sides of a secure cluster: what its brokers are told, and what clients need to be let in, or turned away. */
export class ClusterSecurity {
  readonly certificates: Certificates;
  readonly tokens: TokenIssuer;
  /** By name: everybody can log in by PLAIN, alice and bob by SCRAM-SHA-256, alice by SCRAM-SHA-512 too. */
  readonly passwords: Readonly<Record<(typeof users)[number], string>>;

  private constructor(certificates: Certificates, tokens: TokenIssuer) {
    this.certificates = certificates;
    this.tokens = tokens;
    this.passwords = { alice: passwordOf("alice"), bob: passwordOf("bob"), admin: passwordOf("admin") };
  }

  static async create(): Promise<ClusterSecurity> {
    return new ClusterSecurity(issueCertificates(), await TokenIssuer.start());
  }

  /**
   * What `server.properties` says of it.
   *
   * @param jwksUrl where the broker finds `tokens.jwks`
   */
  brokerProperties(jwksUrl: string): Record<string, string> {
    return {
      ...this.#tls(),
      ...passwordListener("sasl_plaintext"),
      ...passwordListener("sasl_ssl"),
      ...oauth(jwksUrl),
      ...rights,
    };
  }

  /** To be called once, when the brokers are ready. */
  addUsers(brokers: readonly Address[]): Promise<void> {
    return addScramUsers(brokers);
  }

  close(): void {
    this.tokens.close();
  }

  #tls(): Record<string, string> {
    const { ca, broker } = this.certificates;
    return {
      "ssl.keystore.type": "PEM",
      "ssl.keystore.key": broker.key,
      "ssl.keystore.certificate.chain": broker.cert,
      "ssl.truststore.type": "PEM",
      "ssl.truststore.certificates": ca,
      "listener.name.mtls.ssl.client.auth": "required",
      // So that a test can give a running broker another certificate.
      "ssl.allow.dn.changes": "true",
      "ssl.allow.san.changes": "true",
    };
  }
}

/** A listener that takes every mechanism, with unsecured tokens for OAUTHBEARER. */
const passwordListener = (listener: string): Record<string, string> => ({
  "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
  [`listener.name.${listener}.plain.sasl.jaas.config`]: `${pkg}.plain.PlainLoginModule required ${users.map((user) => `user_${user}="${passwordOf(user)}"`).join(" ")};`,
  [`listener.name.${listener}.scram-sha-256.sasl.jaas.config`]: scramLogin,
  [`listener.name.${listener}.scram-sha-512.sasl.jaas.config`]: scramLogin,
  [`listener.name.${listener}.oauthbearer.sasl.jaas.config`]: bearerLogin,
});

const oauth = (jwksUrl: string): Record<string, string> => ({
  "listener.name.oauth.sasl.enabled.mechanisms": "OAUTHBEARER",
  "listener.name.oauth.oauthbearer.sasl.jaas.config": bearerLogin,
  "listener.name.oauth.oauthbearer.sasl.server.callback.handler.class": `${pkg}.oauthbearer.OAuthBearerValidatorCallbackHandler`,
  "listener.name.oauth.sasl.oauthbearer.jwks.endpoint.url": jwksUrl,
  "listener.name.oauth.sasl.oauthbearer.expected.audience": TokenIssuer.audience,
  "listener.name.oauth.sasl.oauthbearer.expected.issuer": TokenIssuer.issuer,
});

/** Whoever did not log in may do everything, and so may everybody where no ACL says otherwise. */
const rights = {
  "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
  "super.users": "User:ANONYMOUS;User:admin",
  "allow.everyone.if.no.acl.found": "true",
  "delegation.token.secret.key": "delegation-secret",
  // Sessions end after a minute; those of SCRAM without TLS so soon that a test sees it.
  "connections.max.reauth.ms": "60000",
  "listener.name.sasl_plaintext.scram-sha-256.connections.max.reauth.ms": "4000",
  // A broker on a busy machine reads in time what was sent when 95 % of it were over.
  "listener.name.sasl_plaintext.scram-sha-512.connections.max.reauth.ms": "15000",
};
