/** Stage: words of a draft → rows of the word table, as each reading sees them: whoever answers may read otherwise than whoever scores beside. */
import type { Reading, Rows, Vocabulary } from '../models/port.ts';
import type { Draft, Embedded } from '../pipeline/post.ts';
import { passed, type Stage } from '../pipeline/stage.ts';

export type Vocabularies = Readonly<Record<Reading, Vocabulary>>;

export function createEmbedStage(vocabularies: Vocabularies): Stage<Draft, Embedded> {
  return {
    name: 'embed',
    process: async (batch) =>
      batch.map((draft) => passed({ draft, rows: rowsOf(vocabularies, draft.context.text) })),
  };
}

/** @param text normalised */
export const rowsOf = ({ first, known }: Vocabularies, text: string): Rows => ({
  first: first.encode(text),
  known: known.encode(text),
});
