import { fetching } from "./fetching.ts";
import { producing } from "./producing.ts";

/** What is true of Kafka, and has to be true of the cluster for tests. */
export const suite = { producing, fetching } as const;
