import { answerOnce } from "../client-process.ts";
import type { Client } from "../field.ts";
import { load, type Outcome, type Patience } from "./load.ts";
import { openProducer } from "./producers.ts";
import type { Target } from "./target.ts";
import { workloadNamed } from "./workloads.ts";

/** What the process of a client is asked to do. */
export interface Job {
  readonly client: Client;
  readonly target: Target;
  readonly workload: string;
  readonly patience: Patience;
}

answerOnce(async ({ client, target, workload, patience }: Job): Promise<Outcome | null> => {
  const producer = await openProducer[client](target);
  if (producer === null) return null;
  const outcome = await load(producer, workloadNamed(workload), patience);
  await producer.close();
  return outcome;
});
