import { answerOnce } from "../client-process.ts";
import type { Client } from "../field.ts";
import { openProducer } from "../produce/producers.ts";
import { loadConsumer } from "./consumers.ts";
import { FirstRecord } from "./first-record.ts";
import type { Outcome } from "./outcome.ts";
import type { Patience } from "./patience.ts";
import { Reading } from "./reading.ts";
import { RoundTrip } from "./round-trip.ts";
import type { Sink, Source, StartConsumer } from "./sink.ts";
import { workloadNamed } from "./workloads.ts";

/** What the process of a client is asked to do. */
export interface Job {
  readonly client: Client;
  readonly source: Source;
  readonly workload: string;
  /** How many are in the topic. */
  readonly records: number;
  readonly patience: Patience;
}

answerOnce(async ({ client, source, workload, records, patience }: Job): Promise<Outcome | null> => {
  const { measure, handlerMs } = workloadNamed(workload);
  const start = await loadConsumer[client]();
  switch (measure) {
    case "rate": {
      const reading = new Reading({ records, handlerMs }, patience);
      return consume(start, source, reading, () => reading.done);
    }
    case "first": {
      const record = new FirstRecord();
      return consume(start, source, record, () => record.done);
    }
    case "latency": {
      const producer = await openProducer[client]({ ...source, lingerMs: 0 });
      if (producer === null) return null;
      const roundTrip = new RoundTrip(producer);
      return consume(start, source, roundTrip, () => roundTrip.run(patience));
    }
  }
});

/** Consumers have no end; theirs is that of the process. One that fails before the sink has its outcome fails the turn. */
async function consume<S extends Sink>(
  start: StartConsumer,
  source: Source,
  sink: S,
  outcome: () => Promise<Outcome>,
): Promise<Outcome | null> {
  const started = start(source, sink);
  if (started === null) return null;
  const done = outcome();
  return Promise.race([done, started.then(() => done)]);
}
