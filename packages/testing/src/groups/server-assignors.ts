/** A partition as text, `topicId:index`. */
export type PartitionKey = string;

export interface AssignorMember {
  readonly memberId: string;
  readonly instanceId: string | null;
  /** Ids of the topics that it reads. */
  readonly topicIds: ReadonlySet<string>;
  /** What it was meant to have before. */
  readonly target: ReadonlySet<PartitionKey>;
}

export interface AssignorTopic {
  readonly topicId: string;
  readonly name: string;
  readonly partitions: number;
}

export type Assignment = Map<string, Set<PartitionKey>>;

/** How a coordinator divides the partitions of a group of the consumer protocol. */
export type ServerAssignor = (members: readonly AssignorMember[], topics: readonly AssignorTopic[]) => Assignment;

export const partitionKey = (topicId: string, partition: number): PartitionKey => `${topicId}:${partition}`;

/** Static members by their names, so that a restart changes nothing. */
const inOrder = (members: readonly AssignorMember[]): AssignorMember[] => {
  const nameOf = ({ instanceId, memberId }: AssignorMember) => instanceId ?? memberId;
  return [...members].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
};

const byName = (topics: readonly AssignorTopic[]): AssignorTopic[] =>
  [...topics].sort((a, b) => (a.name < b.name ? -1 : 1));

/** Each member gets as many as any other where it can be had, and keeps what it was meant to have. */
const uniform: ServerAssignor = (given, topics) => {
  const members = inOrder(given);
  const all = byName(topics).flatMap(({ topicId, partitions }) =>
    Array.from({ length: partitions }, (_, index) => ({ topicId, key: partitionKey(topicId, index) })),
  );
  const assignment: Assignment = new Map(members.map(({ memberId }) => [memberId, new Set()]));
  const [first] = members;
  const isHomogeneous = members.every(({ topicIds }) => isSameSet(topicIds, first?.topicIds ?? new Set()));
  const quota = Math.floor(all.length / members.length);
  let extras = all.length % members.length;
  const exists = new Map(all.map(({ topicId, key }) => [key, topicId]));
  const taken = new Set<PartitionKey>();
  for (const { memberId, target, topicIds } of members) {
    const valid = [...target].filter((key) => topicIds.has(exists.get(key) ?? "") && !taken.has(key));
    let keeps = valid.length;
    if (isHomogeneous && valid.length > quota) {
      keeps = extras > 0 ? quota + 1 : quota;
      extras -= extras > 0 ? 1 : 0;
    }
    for (const key of valid.slice(0, keeps)) {
      assignment.get(memberId)?.add(key);
      taken.add(key);
    }
  }
  for (const { topicId, key } of all) {
    if (taken.has(key)) continue;
    const able = members.filter(({ topicIds }) => topicIds.has(topicId));
    const sizes = able.map(({ memberId }) => assignment.get(memberId)?.size ?? 0);
    const least = able[sizes.indexOf(Math.min(...sizes))];
    if (least !== undefined) assignment.get(least.memberId)?.add(key);
  }
  return assignment;
};

const isSameSet = (a: ReadonlySet<string>, b: ReadonlySet<string>): boolean =>
  a.size === b.size && [...a].every((item) => b.has(item));

/** Of each topic, each member gets a range of partitions that follow one another. */
const range: ServerAssignor = (given, topics) => {
  const members = inOrder(given);
  const assignment: Assignment = new Map(members.map(({ memberId }) => [memberId, new Set()]));
  for (const { topicId, partitions } of byName(topics)) {
    const readers = members.filter(({ topicIds }) => topicIds.has(topicId));
    const quota = Math.floor(partitions / readers.length);
    let next = 0;
    readers.forEach(({ memberId }, place) => {
      const count = quota + (place < partitions % readers.length ? 1 : 0);
      for (let index = 0; index < count; index++) assignment.get(memberId)?.add(partitionKey(topicId, next++));
    });
  }
  return assignment;
};

/** By their names; the first is the one that a group has unless it asks for another. */
export const serverAssignors: ReadonlyMap<string, ServerAssignor> = new Map([
  ["uniform", uniform],
  ["range", range],
]);

export const defaultServerAssignor = "uniform";
