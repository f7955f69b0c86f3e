import { load, type Outcome, type Patience } from "./load.ts";
import { type Client, openProducer } from "./producers.ts";
import type { Target } from "./target.ts";
import { workloadNamed } from "./workloads.ts";

/** What the process of a client is asked to do. */
export interface Job {
  readonly client: Client;
  readonly target: Target;
  readonly workload: string;
  readonly patience: Patience;
}

async function answer({ client, target, workload, patience }: Job): Promise<Outcome | null> {
  const producer = await openProducer[client](target);
  if (producer === null) return null;
  const outcome = await load(producer, workloadNamed(workload), patience);
  await producer.close();
  return outcome;
}

process.once("message", (job: Job) => {
  answer(job).then(
    (outcome) => process.send?.({ outcome }),
    (error: unknown) => {
      process.stderr.write(`${job.client}: ${error instanceof Error ? error.stack : String(error)}\n`);
      process.exit(1);
    },
  );
});
// The end of who asked is the end of this process too.
process.once("disconnect", () => process.exit());
