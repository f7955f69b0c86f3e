import { OptionReader, OptionsError } from "@odradek/network";
import { BrokerError, type KafkaError, type ResponseOf } from "@odradek/protocol";
import { CreateDelegationToken } from "@odradek/protocol/messages/create-delegation-token";
import { DescribeDelegationToken } from "@odradek/protocol/messages/describe-delegation-token";
import { ExpireDelegationToken } from "@odradek/protocol/messages/expire-delegation-token";
import { RenewDelegationToken } from "@odradek/protocol/messages/renew-delegation-token";
import { isInt64 } from "./asking/arguments.ts";
import { type AdminCallOptions, type AdminContext, Call, type Whom } from "./asking/call.ts";
import { askOne } from "./asking/fan-out.ts";

export interface CreateTokenOptions extends AdminCallOptions {
  /** Whom it logs in as, such as `User:alice` (KIP-373, Kafka 3.3). @default who asks */
  readonly owner?: string;
  /** Who may renew it besides its owner, such as `User:bob`. @default nobody */
  readonly renewers?: readonly string[];
  /** Its longest life, renewals included, ms. @default what the broker allows */
  readonly maxLifetimeMs?: number;
}

export interface RenewTokenOptions extends AdminCallOptions {
  /** Its life from now on, ms, within its longest life. @default what the broker allows */
  readonly renewTimePeriodMs?: number;
}

export interface ExpireTokenOptions extends AdminCallOptions {
  /** Its life from now on, ms. @default none: it is gone at once */
  readonly expiryTimePeriodMs?: number;
}

export interface DescribeTokensOptions extends AdminCallOptions {
  /** Only tokens of these, such as `User:alice`. @default every token that the client may see */
  readonly owners?: readonly string[];
}

/** A token, and with it the means to log in: `tokenId` is the user name of SCRAM, `hmac` the password. */
export interface DelegationToken {
  readonly tokenId: string;
  /** Secret, in base64: the password of the token. */
  readonly hmac: string;
  /** Whom it logs in as, such as `User:alice`. */
  readonly owner: string;
  /** Who asked for it; `null` before Kafka 3.3. */
  readonly tokenRequester: string | null;
  /** Who may renew it besides its owner. */
  readonly renewers: readonly string[];
  /** Milliseconds since the epoch, as the two that follow. */
  readonly issueTimestamp: number;
  /** When it ends unless it is renewed. */
  readonly expiryTimestamp: number;
  /** When it ends however often it is renewed. */
  readonly maxTimestamp: number;
}

interface Principal {
  readonly principalType: string;
  readonly principalName: string;
}

const isPrincipal = (value: unknown): value is string => typeof value === "string" && /^[^:]+:./s.test(value);

const expected = "a type and a name, such as User:alice";

function toPrincipal(text: string): Principal {
  const colon = text.indexOf(":");
  return { principalType: text.slice(0, colon), principalName: text.slice(colon + 1) };
}

const principalText = ({ principalType, principalName }: Principal): string => `${principalType}:${principalName}`;

/** See `KafkaAdmin.createDelegationToken`. */
export async function createDelegationToken(
  context: AdminContext,
  options: CreateTokenOptions,
): Promise<DelegationToken> {
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  const owner = reader.value("owner", null, isPrincipalOrNull, expected);
  const renewers = reader.items("renewers", [], isPrincipal, expected);
  const maxLifetimeMs = reader.value("maxLifetimeMs", -1, isMs, "a whole number of at least 1");
  reader.finish();
  const of = owner === null ? null : toPrincipal(owner);
  const body = (version: number) => ({
    ...(version < ownersSince
      ? {}
      : { ownerPrincipalType: of?.principalType ?? null, ownerPrincipalName: of?.principalName ?? null }),
    renewers: renewers.map(toPrincipal),
    maxLifetimeMs: BigInt(maxLifetimeMs),
  });
  const ask = async (whom: Whom) => {
    const response = await call.request(CreateDelegationToken, body, whom, of === null ? {} : { oldest: ownersSince });
    if (response.errorCode !== 0) throw new BrokerError(response.errorCode, "CreateDelegationToken");
    return response;
  };
  const created = await askOne(call, "CreateDelegationToken", ask, { isFinal: mayHaveCreated });
  return {
    ...toToken({
      ...created,
      issueTimestamp: created.issueTimestampMs,
      expiryTimestamp: created.expiryTimestampMs,
      maxTimestamp: created.maxTimestampMs,
    }),
    renewers,
  };
}

const ownersSince = 3;

/**
 * Whether a token may have been created all the same. Asking again would leave it behind, valid and known to nobody: only an answer
 * says that there is none, and not the one of a broker that could not pass it on.
 */
const mayHaveCreated = (error: KafkaError): boolean =>
  !(error instanceof BrokerError) || error.code === "NETWORK_EXCEPTION";

const isPrincipalOrNull = (value: unknown): value is string | null => value === null || isPrincipal(value);
const isMs = (value: unknown): value is number =>
  typeof value === "number" && isInt64(value) && (value > 0 || value === -1);

type TokenAnswer = Omit<ResponseOf<typeof DescribeDelegationToken>["tokens"][number], "renewers">;

const toToken = (token: TokenAnswer): Omit<DelegationToken, "renewers"> => ({
  tokenId: token.tokenId,
  hmac: token.hmac.toString("base64"),
  owner: principalText(token),
  tokenRequester:
    token.tokenRequesterPrincipalType === ""
      ? null
      : `${token.tokenRequesterPrincipalType}:${token.tokenRequesterPrincipalName}`,
  issueTimestamp: Number(token.issueTimestamp),
  expiryTimestamp: Number(token.expiryTimestamp),
  maxTimestamp: Number(token.maxTimestamp),
});

/** See `KafkaAdmin.describeDelegationToken`. */
export async function describeDelegationToken(
  context: AdminContext,
  options: DescribeTokensOptions,
): Promise<DelegationToken[]> {
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  const given = reader.items("owners", null, isPrincipal, expected);
  reader.finish();
  const owners = given?.map(toPrincipal) ?? null;
  const tokens = await askOne(call, "DescribeDelegationToken", async (whom) => {
    const response = await call.request(DescribeDelegationToken, { owners }, whom);
    if (response.errorCode !== 0) throw new BrokerError(response.errorCode, "DescribeDelegationToken");
    return response.tokens;
  });
  return tokens.map((token) => ({ ...toToken(token), renewers: token.renewers.map(principalText) }));
}

/** In the one alphabet or the other, as Node takes it. */
const base64 = /^[\w+/-]+={0,2}$/;

/** The bytes of the password. @throws OptionsError without showing it */
function hmacOf(given: string): Buffer {
  if (typeof given === "string" && base64.test(given)) return Buffer.from(given, "base64");
  throw new OptionsError("hmac", typeof given, "the hmac of a token, in base64,");
}

/** See `KafkaAdmin.renewDelegationToken`. */
export async function renewDelegationToken(
  context: AdminContext,
  given: string,
  options: RenewTokenOptions,
): Promise<number> {
  const hmac = hmacOf(given);
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  const renewPeriodMs = BigInt(reader.value("renewTimePeriodMs", -1, isMs, "a whole number of at least 1"));
  reader.finish();
  return askOne(call, "RenewDelegationToken", async (whom) => {
    const response = await call.request(RenewDelegationToken, { hmac, renewPeriodMs }, whom);
    if (response.errorCode !== 0) throw new BrokerError(response.errorCode, "RenewDelegationToken");
    return Number(response.expiryTimestampMs);
  });
}

/** See `KafkaAdmin.expireDelegationToken`. */
export async function expireDelegationToken(
  context: AdminContext,
  given: string,
  options: ExpireTokenOptions,
): Promise<number> {
  const hmac = hmacOf(given);
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  const expiryTimePeriodMs = BigInt(reader.value("expiryTimePeriodMs", -1, isMs, "a whole number of at least 1"));
  reader.finish();
  const ask = async (whom: Whom) => {
    const response = await call.request(ExpireDelegationToken, { hmac, expiryTimePeriodMs }, whom);
    if (response.errorCode !== 0) throw new BrokerError(response.errorCode, "ExpireDelegationToken");
    return Number(response.expiryTimestampMs);
  };
  return askOne(call, "ExpireDelegationToken", ask, {
    doneBefore: new Set(["DELEGATION_TOKEN_EXPIRED", "DELEGATION_TOKEN_NOT_FOUND"]),
  });
}
