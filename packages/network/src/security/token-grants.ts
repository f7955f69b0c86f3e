import type { TokenRequest } from "./token-endpoint.ts";

export interface ClientSecret {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Whether both are encoded as for a URL before they are joined, which RFC 6749 demands and many providers do not. */
  readonly headerUrlencode: boolean;
}

/** Who asks is who is meant, and proves it with a password (RFC 6749, 4.4). */
export function clientSecretRequest(
  { clientId, clientSecret, headerUrlencode }: ClientSecret,
  scope: string | null,
): TokenRequest {
  const encoded = headerUrlencode ? formEncoded : (text: string): string => text;
  const credentials = Buffer.from(`${encoded(clientId)}:${encoded(clientSecret)}`).toString("base64");
  return {
    form: { grant_type: "client_credentials", ...scoped(scope) },
    headers: { authorization: `Basic ${credentials}` },
  };
}

/** Who asks is who is meant, and proves it with an assertion (RFC 7523, 2.2; KIP-1258). */
export const clientAssertionRequest = (
  assertion: string,
  clientId: string | null,
  scope: string | null,
): TokenRequest => ({
  form: {
    grant_type: "client_credentials",
    client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    client_assertion: assertion,
    ...(clientId !== null && { client_id: clientId }),
    ...scoped(scope),
  },
  headers: {},
});

/** The assertion says for whom the token is, and is all that is asked with (RFC 7523, 2.1; KIP-1139). */
export const jwtBearerRequest = (assertion: string, scope: string | null): TokenRequest => ({
  form: { grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", assertion, ...scoped(scope) },
  headers: {},
});

const scoped = (scope: string | null): { readonly scope?: string } => (scope === null ? {} : { scope });

const formEncoded = (text: string): string => new URLSearchParams({ "": text }).toString().slice(1);
