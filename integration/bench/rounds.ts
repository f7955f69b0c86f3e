import { inTurn, type NodeBinary, type Run, say } from "./run.ts";

/** Somebody on a Node, and what came out of their turns so far. */
export interface Turns<C, Outcome> {
  readonly node: NodeBinary;
  readonly competitor: C;
  readonly outcomes: Outcome[];
}

/** What all have their turns at. */
export interface Contest<C, Outcome> {
  /** Before each line of progress. */
  readonly suite: string;
  /** In such a line: what is done. */
  readonly title: string;
  /** @returns `null` for what the competitor cannot do @throws Error for a turn that does not count */
  readonly take: (competitor: C) => Promise<Outcome | null>;
  readonly textOf: (outcome: Outcome) => string;
}

/**
 * As many rounds as the run has, in each of which everybody has a turn.
 *
 * @returns what went wrong, a line for each turn that does not count
 * @throws Error in a smoke run for the first of those turns
 */
export async function playRounds<C extends { readonly name: string }, Outcome>(
  { rounds, isSmoke }: Run,
  all: readonly Turns<C, Outcome>[],
  { suite, title, take, textOf }: Contest<C, Outcome>,
): Promise<string[]> {
  const failures: string[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const { node, competitor, outcomes } of inTurn(all, round)) {
      const where = `${title}, round ${round + 1} of ${rounds}, ${competitor.name} on Node ${node.version}`;
      try {
        const outcome = await take(competitor);
        say(`${suite}: ${where}: ${outcome === null ? "cannot" : textOf(outcome)}`);
        if (outcome !== null) outcomes.push(outcome);
      } catch (error) {
        // Hours of measuring are not thrown away for one turn; in a smoke run all have to do.
        if (isSmoke) throw error;
        failures.push(`${where}: ${error instanceof Error ? error.message : String(error)}`);
        say(`${suite}: ${failures.at(-1)}`);
      }
    }
  }
  return failures;
}
