/** How long a turn may take, in milliseconds. */
export interface Patience {
  /** From the first record on, until everything is warm. A quarter of what there is to read ends it too. */
  readonly warmUpMs: number;
  /** Then, the most that is read for. */
  readonly readMs: number;
  /** For records that come although there are no more. */
  readonly lateMs: number;
  /** How long records are sent that are timed. */
  readonly sendMs: number;
}

export const patient: Patience = { warmUpMs: 2_000, readMs: 5_000, lateMs: 200, sendMs: 5_000 };
/** Everything has to be read. */
export const hasty: Patience = { warmUpMs: 100, readMs: 30_000, lateMs: 50, sendMs: 300 };
