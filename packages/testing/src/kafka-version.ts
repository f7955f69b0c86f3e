/** Releases of Kafka that a cluster can pass for. */
export type KafkaVersion = "2.1" | "3.9" | "4.3";

/** What all brokers of a cluster have agreed to use. */
interface Feature {
  readonly name: string;
  readonly minVersion: number;
  readonly maxVersion: number;
}

interface Release {
  /** Newest version of each API, by its key. An API that is not listed did not exist. */
  readonly newest: Readonly<Record<number, number>>;
  /** Oldest version of an API, where it is not the oldest that the protocol knows. */
  readonly oldest: Readonly<Record<number, number>>;
  readonly features: readonly Feature[];
}

/** In version 0 of SaslHandshake what follows has no headers; clients from before Kafka 1.0 speak so. */
const handshakes = { 17: 1 } as const;

/**
 * What each release advertises. Source: the ApiVersions answers of brokers 2.1.1, 3.9.2 and 4.3.1. Versions that Kafka 4
 * dropped (KIP-896) are not spoken in the guise of an older release either.
 */
export const releases: Readonly<Record<KafkaVersion, Release>> = {
  "2.1": {
    newest: {
      ...{ 0: 7, 1: 10, 2: 4, 3: 7, 8: 6, 9: 5, 10: 2, 11: 3, 12: 2, 13: 2, 14: 2, 15: 2, 16: 2, 17: 1, 18: 2 },
      ...{
        19: 3,
        20: 3,
        21: 1,
        22: 1,
        23: 2,
        24: 1,
        25: 1,
        26: 1,
        28: 2,
        29: 1,
        30: 1,
        31: 1,
        32: 2,
        33: 1,
        35: 1,
        36: 0,
        37: 1,
        42: 1,
      },
    },
    oldest: handshakes,
    features: [],
  },
  "3.9": {
    newest: {
      ...{ 0: 11, 1: 17, 2: 9, 3: 12, 8: 9, 9: 9, 10: 6, 11: 9, 12: 4, 13: 5, 14: 5, 15: 5, 16: 5, 17: 1, 18: 4 },
      ...{
        19: 7,
        20: 6,
        21: 2,
        22: 5,
        23: 4,
        24: 5,
        25: 4,
        26: 4,
        27: 1,
        28: 4,
        29: 3,
        30: 3,
        31: 3,
        32: 4,
        33: 2,
        35: 4,
        36: 2,
        37: 3,
      },
      ...{ 42: 2, 43: 2, 44: 1, 45: 0, 46: 0, 47: 0, 60: 1, 61: 0, 65: 0, 66: 1, 68: 0, 69: 0, 74: 0, 75: 0 },
    },
    oldest: handshakes,
    features: [{ name: "metadata.version", minVersion: 1, maxVersion: 21 }],
  },
  "4.3": {
    newest: {
      ...{ 0: 13, 1: 18, 2: 11, 3: 13, 8: 10, 9: 10, 10: 6, 11: 9, 12: 4, 13: 5, 14: 5, 15: 6, 16: 5, 17: 1, 18: 4 },
      ...{
        19: 7,
        20: 6,
        21: 2,
        22: 5,
        23: 4,
        24: 5,
        25: 4,
        26: 5,
        27: 2,
        28: 5,
        29: 3,
        30: 3,
        31: 3,
        32: 4,
        33: 2,
        35: 5,
        36: 2,
        37: 3,
      },
      ...{ 42: 2, 43: 2, 44: 1, 45: 1, 46: 0, 47: 0, 60: 2, 61: 0, 65: 0, 66: 2, 68: 1, 69: 1, 74: 1, 75: 0 },
    },
    // It says so for the sake of old clients, and refuses 0 to 2 all the same (KAFKA-18659).
    oldest: { ...handshakes, 0: 0 },
    features: [
      { name: "group.version", minVersion: 0, maxVersion: 1 },
      { name: "metadata.version", minVersion: 7, maxVersion: 30 },
      { name: "transaction.version", minVersion: 0, maxVersion: 2 },
    ],
  },
};

export const kafkaVersions: readonly KafkaVersion[] = ["2.1", "3.9", "4.3"];
