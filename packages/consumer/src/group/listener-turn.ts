import { AsyncLocalStorage } from "node:async_hooks";
import { type Clock, Deadline, State } from "@odradek/network";
import type { AutoCommit } from "../offsets/auto-commit.ts";

const turnStates = () =>
  new State("none", {
    none: ["committing"], // nothing changes hands
    committing: ["due", "none"], // what is done with is committed before its partitions go
    due: ["running", "none"], // a poll is to make the calls of the listener
    running: ["none"], // a poll makes them
  });

/** One change of hands that is under way. */
interface Turn {
  readonly run: () => Promise<void>;
}

/** The turn whose calls of the listener the code at hand belongs to. */
const currentTurn = new AsyncLocalStorage<Turn>();

/** How many turns make their calls right now, of all consumers. */
let runningTurns = 0;

/**
 * Runs what belongs to a turn. When no turn is left, none has to be told from another: Nodes before 24 look at every promise of the
 * process as long as a storage is in use.
 */
async function runTurn(turn: Turn): Promise<void> {
  runningTurns += 1;
  try {
    await currentTurn.run(turn, turn.run);
  } finally {
    runningTurns -= 1;
    if (runningTurns === 0) currentTurn.disable();
  }
}

/**
 * The part of a rebalance that is the application's: what is done with is committed, and then its listener is called, within a poll.
 * There is one at a time, and no records are handed out meanwhile.
 */
export class ListenerTurn {
  readonly #autoCommit: AutoCommit;
  readonly #clock: Clock;
  readonly #onChange: () => void;
  readonly #state = turnStates();
  #turn: Turn | null = null;
  /** The calls that are being made; settles when they are done. */
  #calls: { readonly turn: Turn; readonly done: Promise<void> } | null = null;

  /** @param onChange called when something changed that is worth another look */
  constructor(autoCommit: AutoCommit, clock: Clock, onChange: () => void) {
    this.#autoCommit = autoCommit;
    this.#clock = clock;
    this.#onChange = onChange;
  }

  get isUnderWay(): boolean {
    return !this.#state.is("none");
  }

  /**
   * @param commitMs how long what is done with may take to be committed; `null` where it must not be, or need not
   * @param run makes the calls
   */
  begin(commitMs: number | null, run: () => Promise<void>): void {
    const turn = { run };
    this.#turn = turn;
    this.#state.to("committing");
    if (commitMs === null || !this.#autoCommit.isNeeded) {
      this.#state.to("due");
      this.#onChange();
      return;
    }
    void this.#autoCommit.now(new Deadline(this.#clock, commitMs)).then(() => {
      // Void where it was called off meanwhile, and another may be under way.
      if (this.#turn !== turn) return;
      this.#state.to("due");
      this.#onChange();
    });
  }

  /** What a poll is to run and await now; `null` for nothing. */
  take(): (() => Promise<void>) | null {
    const turn = this.#turn;
    if (turn === null || !this.#state.is("due")) return null;
    this.#state.to("running");
    return () => {
      const calls = runTurn(turn).finally(() => {
        if (this.#turn === turn) this.cancel();
        this.#calls = null;
        this.#onChange();
      });
      this.#calls = { turn, done: calls.catch(() => {}) };
      return calls;
    };
  }

  /** Settles when no call of the listener is being made; at once for one who is called by it, and would wait for himself. */
  async finished(): Promise<void> {
    const calls = this.#calls;
    if (calls !== null && currentTurn.getStore() !== calls.turn) await calls.done;
  }

  /** Calls it off: what is due is not run any more, and what runs is not waited for. */
  cancel(): void {
    this.#turn = null;
    if (this.isUnderWay) this.#state.to("none");
  }
}
