import { SaslError } from "./sasl-error.ts";

/** What a client shows instead of a password, for as long as it holds. */
export interface BearerToken {
  /** The token itself, mostly a JSON Web Token. */
  readonly value: string;
  /** When it expires, milliseconds since 1970. */
  readonly expiresAtMs: number;
  /** What goes to the broker beside it (KIP-342), such as `logicalCluster`. @default none */
  readonly extensions?: Readonly<Record<string, string>>;
}

/** Visible ASCII. Control characters would end the field and begin another that the user never wrote. */
const tokenValue = /^[!-~]+$/;

/** RFC 7628, section 3.1. */
const extensionName = /^[A-Za-z]+$/;
const extensionValue = /^[!-~ \t\r\n]+$/;

/** The field that the token itself is in. */
const reservedName = "auth";

/**
 * Takes a token from whoever makes them.
 *
 * @param whose opens the message, such as `sasl.token`
 * @throws SaslError that does not show the token
 */
export function checkedToken(token: unknown, whose: string): BearerToken {
  const refuse = (text: string): never => {
    throw new SaslError("credentialsUnavailable", `${whose} gave ${text}`);
  };
  if (typeof token !== "object" || token === null) return refuse("no token, which is an object");
  const value = "value" in token ? token.value : undefined;
  const expiresAtMs = "expiresAtMs" in token ? token.expiresAtMs : undefined;
  const extensions = "extensions" in token ? (token.extensions ?? {}) : {};
  if (typeof value !== "string" || value === "") return refuse("a token whose value is not a text");
  if (!tokenValue.test(value)) return refuse("a token with characters that no token has");
  if (typeof expiresAtMs !== "number" || !Number.isFinite(expiresAtMs)) {
    return refuse("a token whose expiresAtMs is not a number");
  }
  if (!isExtensions(extensions)) return refuse(`a token whose extensions are not ${extensionsAllowed}`);
  return Object.freeze({ value, expiresAtMs, extensions: Object.freeze({ ...extensions }) });
}

/** What extensions have to be, for messages. */
export const extensionsAllowed = `names of letters other than ${reservedName}, each with a text of visible ASCII and spaces`;

export const isExtensions = (value: unknown): value is Readonly<Record<string, string>> =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  Object.entries(value).every(
    ([name, text]: [string, unknown]) =>
      extensionName.test(name) && name !== reservedName && typeof text === "string" && extensionValue.test(text),
  );

/** When a JSON Web Token says that it expires, milliseconds since 1970; `null` where it does not, or is none. */
export function expiryOf(jwt: string): number | null {
  const [, claims = ""] = jwt.split(".");
  try {
    const parsed: unknown = JSON.parse(Buffer.from(claims, "base64url").toString("utf8"));
    const exp = typeof parsed === "object" && parsed !== null && "exp" in parsed ? parsed.exp : null;
    return typeof exp === "number" && Number.isFinite(exp) ? exp * 1000 : null;
  } catch {
    return null;
  }
}
