import { murmur2 } from "odradek";
import { keyedPartitioner } from "./keyed-partitioner.ts";
import { legacyMurmur2 } from "./legacy-murmur2.ts";
import type { ICustomPartitioner } from "./partitioner.ts";

const javaCompatible = keyedPartitioner(murmur2);

/** The built-in partitioners. */
export const Partitioners: {
  /** Puts keys where the Java client does. */
  DefaultPartitioner: ICustomPartitioner;
  /** Puts keys where kafkajs 1.x did. */
  LegacyPartitioner: ICustomPartitioner;
  /** @deprecated the same as `DefaultPartitioner` */
  JavaCompatiblePartitioner: ICustomPartitioner;
} = {
  DefaultPartitioner: javaCompatible,
  LegacyPartitioner: keyedPartitioner(legacyMurmur2),
  JavaCompatiblePartitioner: javaCompatible,
};
