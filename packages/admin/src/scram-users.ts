import { pbkdf2, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { OptionReader, OptionsError, secretOption } from "@odradek/network";
import { BrokerError, type KafkaError } from "@odradek/protocol";
import { AlterUserScramCredentials } from "@odradek/protocol/messages/alter-user-scram-credentials";
import { DescribeUserScramCredentials } from "@odradek/protocol/messages/describe-user-scram-credentials";
import { checkedKeys, checkedTexts, isText } from "./asking/arguments.ts";
import { type AdminCallOptions, type AdminContext, Call, type Whom } from "./asking/call.ts";
import { askAll, askOne } from "./asking/fan-out.ts";
import { toAny, toController } from "./asking/routing.ts";
import { Codes } from "./codes.ts";
import { type Result, Results } from "./results.ts";

/** Source: Kafka's `ScramMechanism`. */
export type ScramMechanism = "UNKNOWN" | "SCRAM-SHA-256" | "SCRAM-SHA-512";

const mechanisms = new Codes<ScramMechanism>({ UNKNOWN: 0, "SCRAM-SHA-256": 1, "SCRAM-SHA-512": 2 }, "UNKNOWN");

/** The digest behind each mechanism, and its length. */
const digests = {
  "SCRAM-SHA-256": { digest: "sha256", bytes: 32 },
  "SCRAM-SHA-512": { digest: "sha512", bytes: 64 },
} as const;

type KnownMechanism = keyof typeof digests;

export interface ScramCredentialInfo {
  readonly mechanism: ScramMechanism;
  /** Rounds of PBKDF2. */
  readonly iterations: number;
}

/** With which mechanisms a user can log in. No secret comes back. */
export interface UserScramCredentials {
  readonly user: string;
  readonly credentialInfos: readonly ScramCredentialInfo[];
}

/** A password for a user and a mechanism: a new one, or in place of the last. Source: `UserScramCredentialUpsertion`. */
export interface ScramUpsertion {
  readonly user: string;
  readonly mechanism: KnownMechanism;
  /** It does not leave the process: what travels is what PBKDF2 makes of it. */
  readonly password: string | Uint8Array;
  /** 4,096 to 16,384. @default 4096 */
  readonly iterations?: number;
  /** @default random bytes */
  readonly salt?: Uint8Array;
}

/** Source: `UserScramCredentialDeletion`. */
export interface ScramDeletion {
  readonly user: string;
  readonly mechanism: KnownMechanism;
  readonly delete: true;
}

/** See `KafkaAdmin.describeUserScramCredentials`. */
export async function describeUserScramCredentials(
  context: AdminContext,
  given: readonly string[] | null,
  options: AdminCallOptions,
): Promise<Results<UserScramCredentials>> {
  const users = given === null ? null : checkedTexts("users", given, "the name of a user");
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  reader.finish();
  const describe = async (some: readonly string[] | null, whom: Whom): Promise<Result<UserScramCredentials>[]> => {
    const body = { users: some === null ? null : some.map((name) => ({ name })) };
    const response = await call.request(DescribeUserScramCredentials, body, whom);
    const about = "DescribeUserScramCredentials";
    if (response.errorCode !== 0) throw new BrokerError(response.errorCode, about, response.errorMessage);
    return response.results.map(({ user, errorCode, errorMessage, credentialInfos }) => {
      const error = errorCode === 0 ? null : new BrokerError(errorCode, `credentials of user ${user}`, errorMessage);
      if (error !== null) return { key: user, value: null, error };
      const infos = credentialInfos.map(({ mechanism, iterations }) => ({
        mechanism: mechanisms.nameOf(mechanism),
        iterations,
      }));
      return { key: user, value: { user, credentialInfos: infos }, error };
    });
  };
  if (users === null)
    return new Results(await askOne(call, "DescribeUserScramCredentials", (whom) => describe(null, whom)));
  return askAll(call, {
    keys: users,
    textOf: String,
    routing: toAny(),
    ask: async (some, whom) =>
      new Map(
        (await describe(some, whom)).map((result): [string, UserScramCredentials | KafkaError] => [
          result.key,
          result.error ?? result.value,
        ]),
      ),
  });
}

/** As Kafka's own tool has it. */
const defaultIterations = 4_096;
const maxIterations = 16_384;
const saltBytes = 24;

/** See `KafkaAdmin.alterUserScramCredentials`. */
export async function alterUserScramCredentials(
  context: AdminContext,
  given: readonly (ScramUpsertion | ScramDeletion)[],
  options: AdminCallOptions,
): Promise<Results<string>> {
  if (!Array.isArray(given)) throw new OptionsError("alterations", given, "an array");
  const alterations = checkedKeys(
    "alterations",
    given,
    checkedAlteration,
    ({ user, mechanism }) => `${user} ${mechanism}`,
  );
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  reader.finish();
  const salted = await Promise.all(alterations.map(async (one) => ({ ...one, upsertion: await toUpsertion(one) })));
  return askAll(call, {
    // The answer is one for each user, whatever mechanisms there were.
    keys: [...new Set(alterations.map(({ user }) => user))],
    textOf: String,
    routing: toController(),
    doneBefore: new Set(["RESOURCE_NOT_FOUND"]),
    ask: async (users, whom) => {
      const wanted = salted.filter(({ user }) => users.includes(user));
      const body = {
        deletions: wanted
          .filter(({ upsertion }) => upsertion === null)
          .map(({ user, mechanism }) => ({ name: user, mechanism: mechanisms.codeOf(mechanism) })),
        upsertions: wanted.flatMap(({ upsertion }) => upsertion ?? []),
      };
      const { results } = await call.request(AlterUserScramCredentials, body, whom);
      return new Map(
        results.map(({ user, errorCode, errorMessage }): [string, string | KafkaError] => {
          const about = `altering credentials of user ${user}`;
          return [user, errorCode === 0 ? user : new BrokerError(errorCode, about, errorMessage)];
        }),
      );
    },
  });
}

interface CheckedAlteration {
  readonly user: string;
  readonly mechanism: KnownMechanism;
  /** `null` to delete. */
  readonly password: string | Uint8Array | null;
  readonly iterations: number;
  readonly salt: Uint8Array | null;
}

function checkedAlteration(given: ScramUpsertion | ScramDeletion, path: string): CheckedAlteration {
  const reader = new OptionReader(given, path);
  const isDeletion = reader.boolean("delete", false);
  const checked = {
    user: reader.required("user", isText, "the name of a user"),
    mechanism: reader.required("mechanism", isMechanism, "SCRAM-SHA-256 or SCRAM-SHA-512"),
    password: secretOption(reader, path, "password", isSecretOrNothing, "a text or bytes") ?? null,
    iterations: reader.integer("iterations", defaultIterations, defaultIterations, maxIterations),
    salt: reader.value("salt", null, isSalt, "bytes"),
  };
  reader.finish();
  if (isDeletion !== (checked.password === null)) {
    throw new OptionsError(path, given, "an object with either a password, or delete set to true,");
  }
  return checked;
}

const isMechanism = (value: unknown): value is KnownMechanism =>
  typeof value === "string" && Object.hasOwn(digests, value);
const isSecretOrNothing = (value: unknown): value is string | Uint8Array | null | undefined =>
  (value ?? null) === null || isText(value) || (value instanceof Uint8Array && value.length > 0);
const isSalt = (value: unknown): value is Uint8Array | null =>
  value === null || (value instanceof Uint8Array && value.length > 0);

/** Runs on another thread, so that nothing else of the process waits for it. */
const saltedPasswordOf = promisify(pbkdf2);

async function toUpsertion({ user, mechanism, password, iterations, salt: given }: CheckedAlteration) {
  if (password === null) return null;
  const { digest, bytes } = digests[mechanism];
  const salt = given === null ? randomBytes(saltBytes) : Buffer.from(given);
  const saltedPassword = await saltedPasswordOf(password, salt, iterations, bytes, digest);
  return { name: user, mechanism: mechanisms.codeOf(mechanism), iterations, salt, saltedPassword };
}
