/** What is asked of a post, before it is known how who answers reads words. */
import type { Reading, Rows, ScoreInput } from '../models/port.ts';

export interface Asked {
  readonly rows: Rows;
  /** As in `ScoreInput`. */
  readonly pixels: Uint8Array | null;
}

/** The same for one model, in the words that it reads. */
export const inputsFor = (
  { reading }: { readonly reading: Reading },
  asked: readonly Asked[],
): ScoreInput[] => asked.map(({ rows, pixels }) => ({ words: rows[reading], pixels }));
