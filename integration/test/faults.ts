import { setTimeout as sleep } from "node:timers/promises";
import type { Broker, KafkaCluster } from "../cluster/cluster.ts";
import { moveLeaders, restoreLeaders, untilAll } from "./partitions.ts";
import type { Random } from "./random.ts";

/** Shorter than others wait before they take over. */
const stallMs = 1_000;

type Harm = (broker: Broker, takenOver: () => Promise<void>) => Promise<void>;

/** What happens to a broker, until it is back. */
const harms = {
  killed: async (broker, takenOver) => {
    await broker.kill();
    await takenOver();
    await broker.restart();
  },
  /** Back before others have taken over, or while they do. */
  killedAndBackAtOnce: async (broker) => {
    await broker.kill();
    await broker.restart();
  },
  stopped: async (broker, takenOver) => {
    await broker.stop();
    await takenOver();
    await broker.restart();
  },
  /** It goes on where it was, as a leader of what others lead by now. */
  frozen: async (broker, takenOver) => {
    await broker.pause();
    await takenOver();
    await broker.resume();
  },
  stalled: async (broker) => {
    await broker.pause();
    await sleep(stallMs);
    await broker.resume();
  },
} as const satisfies Record<string, Harm>;

export type Fault = keyof typeof harms;

/** One harm to the broker at this place in the list of the cluster's. */
export interface PlannedFault {
  readonly fault: Fault;
  readonly index: number;
}

/** Every broker is killed and frozen, and the rest happens to one that is drawn; in an order that the seed decides. */
export function planFaults(random: Random, brokerCount: number): PlannedFault[] {
  const each = Array.from({ length: brokerCount }, (_, index) => index);
  const drawn: readonly Fault[] = ["killedAndBackAtOnce", "stopped", "stalled"];
  return random.shuffled([
    ...each.map((index) => ({ fault: "killed", index }) as const),
    ...each.map((index) => ({ fault: "frozen", index }) as const),
    ...drawn.map((fault) => ({ fault, index: random.below(brokerCount) })),
  ]);
}

/** Harms brokers, one at a time, so that a majority of the quorum is always there. */
export class Faults {
  readonly #cluster: KafkaCluster;
  readonly #topics: readonly string[];

  /** @param topics whose leaders count: each fault finds them with their first replicas */
  constructor(cluster: KafkaCluster, topics: readonly string[]) {
    this.#cluster = cluster;
    this.#topics = topics;
  }

  /** Harms a broker, and waits until it is back with all that it leads. */
  async inflict({ fault, index }: PlannedFault): Promise<void> {
    const { brokers } = this.#cluster;
    const broker = brokers[index]!;
    const others = brokers.filter(({ id }) => id !== broker.id);
    const takenOver = async () => {
      for (const topic of this.#topics) {
        await untilAll(
          others,
          topic,
          `are led without ${broker.id}`,
          ({ leaderId }) => ![-1, broker.id].includes(leaderId),
        );
      }
    };
    await harms[fault](broker, takenOver);
    for (const topic of this.#topics) await restoreLeaders(brokers, topic);
  }

  /** Has others lead everything, while all brokers live. */
  async move(topics: readonly string[] = this.#topics): Promise<void> {
    for (const topic of topics) await moveLeaders(this.#cluster.brokers, topic);
  }
}
