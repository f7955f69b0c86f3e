import { randomBytes } from "node:crypto";
import type { Partition } from "./partition.ts";
import type { TopicConfigs } from "./topic-configs.ts";

const longestName = 249;

/** What is wrong with a topic's name, in Kafka's words; `null` for one that is right. */
export function invalidTopicName(name: string): string | null {
  if (name === "") return "Topic name is invalid: the empty string is not allowed";
  if (name === "." || name === "..") return `Topic name is invalid: '${name}' is not allowed`;
  if (name.length > longestName) {
    return `Topic name is invalid: the length of '${name}' is longer than the max allowed length ${longestName}`;
  }
  if (/[^a-zA-Z0-9._-]/.test(name)) {
    return `Topic name is invalid: '${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`;
  }
  return null;
}

/** A UUID as Kafka writes it, which never begins with a dash. */
export function randomUuid(): string {
  for (;;) {
    const bytes = randomBytes(16);
    bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
    bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
    const uuid = bytes.toString("base64url");
    if (!uuid.startsWith("-")) return uuid;
  }
}

export class Topic {
  readonly name: string;
  readonly id: string;
  readonly configs: TopicConfigs;
  readonly partitions: Partition[] = [];

  constructor(name: string, configs: TopicConfigs) {
    this.name = name;
    this.id = randomUuid();
    this.configs = configs;
  }
}
