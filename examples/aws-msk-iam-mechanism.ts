import { createHash, createHmac } from "node:crypto";
import type { SaslExchange, SaslMechanism, SaslPeer } from "odradek";

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of credentials that are only lent, such as those of a role. */
  readonly sessionToken?: string;
}

export interface AwsMskIamOptions {
  /** Where the cluster is, such as `eu-central-1`. */
  readonly region: string;
  /**
   * Asked for each authentication, since credentials of a role expire. What the AWS SDK calls a provider is such a
   * function: `fromNodeProviderChain()` of `@aws-sdk/credential-providers`.
   */
  readonly credentials: () => AwsCredentials | Promise<AwsCredentials>;
}

/**
 * The SASL mechanism of Amazon MSK with IAM: the client signs a request that is never sent (Signature Version 4), and shows
 * the signature to the broker, which has AWS check it.
 */
export class AwsMskIam implements SaslMechanism {
  readonly name = "AWS_MSK_IAM";
  // Private: what prints the client prints no credentials.
  readonly #options: AwsMskIamOptions;

  constructor(options: AwsMskIamOptions) {
    this.#options = options;
  }

  async authenticate(exchange: SaslExchange, { host }: SaslPeer): Promise<void> {
    const { region, credentials } = this.#options;
    const payload = signedPayload(await credentials(), { host, region, at: new Date() });
    const answer = await exchange(Buffer.from(JSON.stringify(payload)));
    if (answer.length === 0) throw new Error("the broker gave no request id, as MSK does for who is let in");
  }
}

export interface SignedRequest {
  readonly host: string;
  readonly region: string;
  readonly at: Date;
  /** How long the broker may take the signature for valid. @default 900 */
  readonly expiresSeconds?: number;
}

const algorithm = "AWS4-HMAC-SHA256";
const service = "kafka-cluster";

/** What the broker gets to see: everything that was signed, and the signature. */
export function signedPayload(
  { accessKeyId, secretAccessKey, sessionToken }: AwsCredentials,
  { host, region, at, expiresSeconds = 900 }: SignedRequest,
): Readonly<Record<string, string>> {
  const time = at.toISOString().replace(/[-:]|\.\d+/g, "");
  const date = time.slice(0, 8);
  const scope = [date, region, service, "aws4_request"];
  // In the order of their names, as they are signed.
  const query: Readonly<Record<string, string>> = {
    Action: `${service}:Connect`,
    "X-Amz-Algorithm": algorithm,
    "X-Amz-Credential": [accessKeyId, ...scope].join("/"),
    "X-Amz-Date": time,
    "X-Amz-Expires": String(expiresSeconds),
    ...(sessionToken === undefined ? {} : { "X-Amz-Security-Token": sessionToken }),
    "X-Amz-SignedHeaders": "host",
  };
  const queryString = Object.entries(query)
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .join("&");
  const request = ["GET", "/", queryString, `host:${host}`, "", "host", sha256("")].join("\n");
  const toSign = [algorithm, time, scope.join("/"), sha256(request)].join("\n");
  const key = scope.reduce<string | Buffer>((secret, part) => hmac(secret, part), `AWS4${secretAccessKey}`);
  const shown = Object.entries(query).map(([name, value]) => [name.toLowerCase(), value]);
  return {
    version: "2020_10_22",
    host,
    "user-agent": "odradek",
    ...Object.fromEntries(shown),
    "x-amz-signature": hmac(key, toSign).toString("hex"),
  };
}

const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** AWS leaves less as it is than `encodeURIComponent` does. */
const encoded = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);
