/** Explains labels on demand, with the model that made them; the model is loaded when it is first asked. */
import { silentLog } from '../base/log.ts';
import type { RevisionView } from '../dashboard/wire.ts';
import { createMetrics } from '../metrics/metrics.ts';
import type { Scorer, Vocabulary } from '../models/port.ts';
import { topWords, wordEvidence } from '../models/serving/explain.ts';

export interface Explainer {
  /** The words that count most, as evidence; null where this model did not make the label from text alone. */
  explain(revision: RevisionView): Promise<readonly string[] | null>;
  close(): Promise<void>;
}

/** @param dir of the `informative` model. Throws MODEL_INVALID on the first explanation when it cannot serve. */
export function createExplainer(dir: string): Explainer {
  let loading: Promise<{ scorer: Scorer; vocabulary: Vocabulary }> | null = null;
  const load = async (): Promise<{ scorer: Scorer; vocabulary: Vocabulary }> => {
    // Loaded here, not above: most pages never ask, and ONNX Runtime with the word vectors takes 40 MB.
    const { openScorer } = await import('../models/serving/scorer.ts');
    const { loadVocabulary } = await import('../models/words.ts');
    const metrics = createMetrics({ bare: true });
    return {
      scorer: await openScorer({ dir, threads: 1, metrics, log: silentLog }),
      vocabulary: loadVocabulary(),
    };
  };
  return {
    async explain({ tasks, modalities, text }) {
      const score = tasks.find(({ task }) => task === 'informative');
      if (score?.probability == null || modalities.includes('image')) return null;
      loading ??= load();
      const { scorer, vocabulary } = await loading;
      if (score.model?.sha256 !== scorer.model.sha256) return null;
      const input = { words: vocabulary.encode(text), pixels: null };
      const [words] = await topWords(scorer, [{ text, input, probability: score.probability }]);
      return (words ?? []).map(wordEvidence);
    },
    async close() {
      const loaded = await loading?.catch(() => null);
      await loaded?.scorer.close();
    },
  };
}
