/** Stage: words of a draft → rows of the word table, as each reading sees them: whoever answers may read otherwise than whoever scores beside. */
import type { Reading, Rows } from '../models/port.ts';
import type { Words } from '../models/words.ts';
import type { Draft, Embedded } from '../pipeline/post.ts';
import { passed, type Stage } from '../pipeline/stage.ts';

/** What it takes of `AllWords`. */
export type Vocabularies = Readonly<Record<Reading, Pick<Words, 'vocabulary'>>>;

export function createEmbedStage(words: Vocabularies): Stage<Draft, Embedded> {
  return {
    name: 'embed',
    process: async (batch) =>
      batch.map((draft) => passed({ draft, rows: rowsOf(words, draft.context.text) })),
  };
}

/** @param text normalised */
export const rowsOf = ({ first, known }: Vocabularies, text: string): Rows => ({
  first: first.vocabulary.encode(text),
  known: known.vocabulary.encode(text),
});
