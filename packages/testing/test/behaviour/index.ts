import { administering } from "./administering.ts";
import { consumerGroups } from "./consumer-groups.ts";
import { fetching } from "./fetching.ts";
import { groups } from "./groups.ts";
import { producing } from "./producing.ts";
import { transactions } from "./transactions.ts";

/** What is true of Kafka, and has to be true of the cluster for tests. */
export const suite = { producing, fetching, transactions, groups, consumerGroups, administering } as const;
