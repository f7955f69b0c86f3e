import { KafkaError, type SaslExchange, type SaslMechanism, type SaslOptions, type SaslPeer } from "odradek";
import { KafkaJSSASLAuthenticationError } from "../errors/connection-errors.ts";
import { isFinal } from "../errors/errors.ts";
import type { Logger } from "../logger.ts";

export interface OauthbearerProviderResponse {
  value: string;
  extensions?: Record<string, string>;
}

interface SaslCredentials {
  username: string;
  password: string;
}

interface SASLMechanismOptionsMap {
  plain: SaslCredentials;
  "scram-sha-256": SaslCredentials;
  "scram-sha-512": SaslCredentials;
  aws: { authorizationIdentity: string; accessKeyId: string; secretAccessKey: string; sessionToken?: string };
  oauthbearer: { oauthBearerProvider: () => Promise<OauthbearerProviderResponse>; authorizationIdentity?: string };
}

/** The mechanisms that are built in; upper case will do too. */
export type SASLMechanism = keyof SASLMechanismOptionsMap;
type SASLMechanismOptions<T> = T extends SASLMechanism ? { mechanism: T } & SASLMechanismOptionsMap[T] : never;
export type SASLOptions = SASLMechanismOptions<SASLMechanism>;

export interface Authenticator {
  authenticate(): Promise<void>;
}

export interface SaslAuthenticateArgs<ParseResult> {
  /** The bytes to send, with their length as an int32 before them. */
  request: { encode: () => Buffer | Promise<Buffer> };
  /** `decode` gets the broker's bytes, with their length as an int32 before them. */
  response?: { decode: (rawResponse: Buffer) => Buffer | Promise<Buffer>; parse: (data: Buffer) => ParseResult };
}

export interface AuthenticationProviderArgs {
  host: string;
  port: number;
  logger: Logger;
  /** Sends one message of the mechanism. @returns what `parse` makes of the answer */
  // biome-ignore lint/suspicious/noConfusingVoidType: kafkajs' types say `void`, and mechanisms are written against them
  saslAuthenticate: <ParseResult>(args: SaslAuthenticateArgs<ParseResult>) => Promise<ParseResult | void>;
}

/** A mechanism of one's own. */
export interface Mechanism {
  mechanism: string;
  authenticationProvider: (args: AuthenticationProviderArgs) => Authenticator;
}

/** @throws KafkaJSSASLAuthenticationError for a mechanism that there is not, or that lacks something */
export function saslOptionsOf(sasl: SASLOptions | Mechanism, logger: Logger): SaslOptions {
  if ("authenticationProvider" in sasl) return { mechanism: ofUser(ownMechanism(sasl, logger)) };
  const { mechanism } = sasl;
  switch (String(mechanism).toLowerCase()) {
    case "plain":
      return { mechanism: "PLAIN", ...credentialsOf(sasl, "SASL Plain") };
    case "scram-sha-256":
      return { mechanism: "SCRAM-SHA-256", ...credentialsOf(sasl, "SASL SCRAM SHA256 authentication") };
    case "scram-sha-512":
      return { mechanism: "SCRAM-SHA-512", ...credentialsOf(sasl, "SASL SCRAM SHA512 authentication") };
    case "aws":
      for (const key of ["authorizationIdentity", "accessKeyId", "secretAccessKey"]) {
        if (!Reflect.get(sasl, key)) throw new KafkaJSSASLAuthenticationError(`SASL AWS-IAM: Missing ${key}`);
      }
      if ("accessKeyId" in sasl) return { mechanism: aws(sasl) };
      break;
    case "oauthbearer":
      if ("oauthBearerProvider" in sasl) return { mechanism: ofUser(oauthBearer(sasl)) };
      throw new KafkaJSSASLAuthenticationError("SASL OAUTHBEARER: Missing OAuth bearer token provider");
    default:
  }
  throw new KafkaJSSASLAuthenticationError(
    `SASL ${String(mechanism).toUpperCase()} mechanism is not supported by the client`,
  );
}

function credentialsOf(sasl: SASLOptions, what: string): SaslCredentials {
  const { username, password }: Partial<SaslCredentials> = "username" in sasl ? sasl : {};
  if (typeof username !== "string" || typeof password !== "string") {
    throw new KafkaJSSASLAuthenticationError(`${what}: Invalid username or password`);
  }
  return { username, password };
}

/** The mechanism of the brokers' AWS plug-in, which is not MSK's IAM. */
const aws = (options: SASLMechanismOptionsMap["aws"]): SaslMechanism => ({
  name: "AWS",
  async authenticate(exchange) {
    const { authorizationIdentity, accessKeyId, secretAccessKey, sessionToken = "" } = options;
    await exchange(Buffer.from([authorizationIdentity, accessKeyId, secretAccessKey, sessionToken].join("\0")));
  },
});

/** kafkajs' provider does not say how long a token holds, so it is asked at every authentication. Source: RFC 7628. */
const oauthBearer = (options: SASLMechanismOptionsMap["oauthbearer"]): SaslMechanism => ({
  name: "OAUTHBEARER",
  async authenticate(exchange) {
    const { value, extensions = {} } = await options.oauthBearerProvider();
    if (typeof value !== "string") {
      throw new KafkaJSSASLAuthenticationError("SASL OAUTHBEARER: Invalid OAuth bearer token");
    }
    const { authorizationIdentity } = options;
    const identity = authorizationIdentity === undefined ? "" : `a=${authorizationIdentity}`;
    const pairs = [`auth=Bearer ${value}`, ...Object.entries(extensions).map(([key, item]) => `${key}=${item}`)];
    const answer = await exchange(Buffer.from(`n,${identity},\x01${pairs.map((pair) => `${pair}\x01`).join("")}\x01`));
    // The broker waits for this one byte before it refuses.
    if (answer.length > 0) await exchange(Buffer.from("\x01"));
  },
});

function ownMechanism({ mechanism, authenticationProvider }: Mechanism, logger: Logger): SaslMechanism {
  const name = mechanism.toUpperCase();
  return {
    name,
    async authenticate(exchange: SaslExchange, { host, port }: SaslPeer) {
      const saslAuthenticate = async <T>({ request, response }: SaslAuthenticateArgs<T>): Promise<T | undefined> => {
        const framed = await request.encode();
        const answer = await exchange(framed.subarray(4));
        if (response === undefined) return undefined;
        const length = Buffer.alloc(4);
        length.writeInt32BE(answer.length);
        return response.parse(await response.decode(Buffer.concat([length, answer])));
      };
      const args = { host, port, logger: logger.namespace(`SaslAuthenticator-${name}`), saslAuthenticate };
      await authenticationProvider(args).authenticate();
    },
  };
}

/**
 * A mechanism in which code of the user runs. Once it has worked, what that code throws may pass, such as that a token server is away: the
 * client tries again. Before, and where an error says that it cannot pass, the client gives up at once, with the error as it is.
 */
function ofUser(mechanism: SaslMechanism): SaslMechanism {
  let hasWorked = false;
  return {
    name: mechanism.name,
    async authenticate(exchange, peer) {
      try {
        await mechanism.authenticate(exchange, peer);
        hasWorked = true;
      } catch (error) {
        if (!hasWorked || error instanceof KafkaError || isFinal(error)) throw error;
        const message = error instanceof Error ? error.message : String(error);
        throw new KafkaError(message, { code: "AUTHENTICATION", retriable: true, cause: error });
      }
    },
  };
}
