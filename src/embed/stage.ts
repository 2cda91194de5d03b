/** Stage: words of a draft → rows of the word table. */
import type { Vocabulary } from '../models/port.ts';
import type { Draft, Embedded } from '../pipeline/post.ts';
import { passed, type Stage } from '../pipeline/stage.ts';

export function createEmbedStage(vocabulary: Vocabulary): Stage<Draft, Embedded> {
  return {
    name: 'embed',
    process: async (batch) =>
      batch.map((draft) => passed({ draft, words: vocabulary.encode(draft.context.text) })),
  };
}
