import { isUtf8 } from "node:buffer";
import { SaslError } from "./sasl-error.ts";

/** What a broker asks for before it believes a client. */
export interface ServerFirst {
  /** The client's nonce, and the broker's behind it. */
  readonly nonce: string;
  readonly salt: Buffer;
  readonly iterations: number;
}

/** Fewer are refused by Kafka too: a broker that asks for them is after a proof that is cheap to search. */
const minIterations = 4_096;

/** A tenth of a second to half a second of work. Kafka lets nobody store more than 16 384. */
const maxIterations = 1_000_000;

/** Far more than any of these messages needs. */
const maxMessageBytes = 16_384;

const base64 = "(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)?";

/** Any may be added, and is passed over, but `m`, which says that it has to be understood. */
const extensions = "(?:,(?!m=)[A-Za-z]+=[^,\\0]+)*";

const serverFirst = new RegExp(`^r=(?<nonce>[!-+\\--~]+),s=(?<salt>${base64}),i=(?<iterations>[^,]*)${extensions}$`);
const serverFinal = new RegExp(`^v=(?<signature>${base64})${extensions}$`);
const refusal = /^e=(?<error>[^,]*)/;

/** Why a broker refuses, where it is one of the words that RFC 5802 has or like them: anything else could be anything. */
const plainWord = /^[A-Za-z0-9-]{1,64}$/;

/** A user's name as it stands in a message, where commas part the fields. */
export const saslName = (username: string): string => username.replaceAll("=", "=3D").replaceAll(",", "=2C");

/**
 * Reads what the broker answers to the client's first message, and believes nothing of it.
 *
 * @param clientNonce what was sent
 * @throws SaslError
 */
export function readServerFirst(message: Buffer, clientNonce: string): ServerFirst {
  const text = textOf(message, "first");
  // An extension that has to be understood; none is known.
  if (text.startsWith("m=")) throw unverified("the broker demands an extension of SCRAM, and none is known");
  const { nonce, salt, iterations: digits } = serverFirst.exec(text)?.groups ?? {};
  if (nonce === undefined || salt === undefined || digits === undefined) throw malformed("first");
  if (!nonce.startsWith(clientNonce) || nonce.length === clientNonce.length) {
    throw unverified("the broker's nonce does not continue the client's: the answer is of another authentication");
  }
  if (salt === "") throw unverified("the broker has no salt for the password");
  const iterations = /^[1-9]\d{0,15}$/.test(digits) ? Number(digits) : 0;
  if (iterations < minIterations || iterations > maxIterations) {
    const asked = iterations === 0 ? "no number of iterations" : `${iterations} iterations`;
    throw unverified(`the broker asks for ${asked}, and from ${minIterations} to ${maxIterations} are done`);
  }
  return { nonce, salt: Buffer.from(salt, "base64"), iterations };
}

/**
 * Reads the broker's last message.
 *
 * @returns the broker's signature, which is still to be checked
 * @throws SaslError
 */
export function readServerFinal(message: Buffer): Buffer {
  const { signature } = serverFinal.exec(textOf(message, "final"))?.groups ?? {};
  if (signature === undefined) throw malformed("final");
  return Buffer.from(signature, "base64");
}

/** The message as text, byte for byte, since it is signed as it came. */
function textOf(message: Buffer, which: "first" | "final"): string {
  if (message.length > maxMessageBytes || !isUtf8(message)) throw malformed(which);
  const text = message.toString("utf8");
  const { error } = refusal.exec(text)?.groups ?? {};
  if (error === undefined) return text;
  const told = plainWord.test(error) ? error : "an error that is none of RFC 5802";
  throw new SaslError("credentialsRefused", `the broker refuses: ${told}`);
}

const malformed = (which: "first" | "final"): SaslError => unverified(`the broker's ${which} message is none of SCRAM`);

const unverified = (text: string): SaslError => new SaslError("brokerUnverified", text);
