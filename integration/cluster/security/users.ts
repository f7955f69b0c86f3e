import { pbkdf2Sync, randomBytes } from "node:crypto";
import { BrokerError } from "@odradek/protocol";
import { AlterUserScramCredentials } from "@odradek/protocol/messages/alter-user-scram-credentials";
import { DescribeUserScramCredentials } from "@odradek/protocol/messages/describe-user-scram-credentials";
import { until } from "../readiness.ts";
import { type Address, ask, Wire } from "../wire.ts";

/** Who may log in with a password: by PLAIN each, by SCRAM all but `admin`. `admin` may do everything. */
export const users = ["alice", "bob", "admin"] as const;

export const passwordOf = (user: string): string => `${user}-secret`;

/** The number that Kafka's protocol has for each, and the digest behind it. */
const mechanisms = {
  "SCRAM-SHA-256": { number: 1, digest: "sha256", bytes: 32 },
  "SCRAM-SHA-512": { number: 2, digest: "sha512", bytes: 64 },
} as const;

interface ScramUser {
  readonly user: (typeof users)[number];
  readonly mechanism: keyof typeof mechanisms;
  readonly iterations: number;
}

const scramUsers: readonly ScramUser[] = [
  { user: "alice", mechanism: "SCRAM-SHA-256", iterations: 4096 },
  { user: "alice", mechanism: "SCRAM-SHA-512", iterations: 4096 },
  { user: "bob", mechanism: "SCRAM-SHA-256", iterations: 8192 },
];

/** Gives the users their SCRAM credentials, and waits until every broker knows them. */
export async function addScramUsers(brokers: readonly Address[]): Promise<void> {
  const [first] = brokers;
  if (first === undefined) throw new Error("no broker is running");
  using wire = await Wire.open(first);
  for (const { user, mechanism, iterations } of scramUsers) {
    const { number, digest, bytes } = mechanisms[mechanism];
    const salt = randomBytes(16);
    const saltedPassword = pbkdf2Sync(passwordOf(user), salt, iterations, bytes, digest);
    const upsertion = { name: user, mechanism: number, iterations, salt, saltedPassword };
    // One at a time: a request that names a user twice is refused, whatever the mechanisms.
    const { results } = await wire.ask(AlterUserScramCredentials, { deletions: [], upsertions: [upsertion] });
    for (const { errorCode, errorMessage } of results) {
      if (errorCode !== 0) throw new BrokerError(errorCode, `giving ${user} a ${mechanism} credential`, errorMessage);
    }
  }
  const known = async (broker: Address): Promise<true | string> => {
    const answer = await ask(broker, DescribeUserScramCredentials, { users: null });
    const count = answer.results.reduce((sum, { credentialInfos }) => sum + credentialInfos.length, 0);
    return count === scramUsers.length || `it knows ${count} of ${scramUsers.length} credentials`;
  };
  await Promise.all(brokers.map((broker) => until("every broker knows the SCRAM users", () => known(broker))));
}
