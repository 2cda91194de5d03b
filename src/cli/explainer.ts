/** Explains labels on demand, with the model that made them; a model is loaded when it is first asked. */
import { silentLog } from '../base/log.ts';
import type { RevisionView } from '../dashboard/wire.ts';
import type { ModelRef } from '../event/records.ts';
import { createMetrics } from '../metrics/metrics.ts';
import { loadArtefact } from '../models/artefact.ts';
import type { Scorer } from '../models/port.ts';
import { topWords, wordEvidence } from '../models/serving/explain.ts';
import type { AllWords } from '../models/words.ts';
import { isSegment, versionDir } from '../registry/layout.ts';

export interface Explainer {
  /** The words that count most, as evidence; null where the model is not here or did not make the label from text alone. */
  explain(revision: RevisionView): Promise<readonly string[] | null>;
  close(): Promise<void>;
}

/** Models that stay open: a page shows labels of the champion, of the one before, and of a canary. */
const KEPT = 3;

/**
 * @param firstDir of the `informative` model that serves while the gate names no other
 * @param modelsDir models/ of the registry
 * Throws MODEL_INVALID on an explanation when the model cannot serve.
 */
export function createExplainer(firstDir: string, modelsDir: string): Explainer {
  /** By the hash of the file that served, the newest last. */
  const opened = new Map<string, Promise<Scorer | null>>();
  let words: AllWords | null = null;

  const open = async ({ version, sha256 }: ModelRef): Promise<Scorer | null> => {
    const dirs = [firstDir, ...(isSegment(version) ? [versionDir(modelsDir, 'informative', version)] : [])];
    for (const dir of dirs) {
      const artefact = await loadArtefact(dir).catch(() => null);
      const isThere = Object.values(artefact?.manifest.files ?? {}).some((file) => file.sha256 === sha256);
      if (!artefact || !isThere) continue;
      // Loaded here, not above: most pages never ask, and ONNX Runtime with the word vectors takes 40 MB.
      const { openScorer } = await import('../models/serving/scorer.ts');
      const { loadAllWords } = await import('../models/words.ts');
      words ??= loadAllWords();
      const metrics = createMetrics({ bare: true });
      const all = Object.values(words);
      const scorer = await openScorer({ dir, artefact, words: all, threads: 1, metrics, log: silentLog });
      if (scorer.model.sha256 === sha256) return scorer;
      await scorer.close();
    }
    return null;
  };

  const close = async (opening: Promise<Scorer | null> | undefined): Promise<void> => {
    const scorer = await opening?.catch(() => null);
    await scorer?.close();
  };

  const scorerOf = async (model: ModelRef): Promise<Scorer | null> => {
    const opening = opened.get(model.sha256) ?? open(model);
    opened.delete(model.sha256);
    opened.set(model.sha256, opening);
    const scorer = await opening.catch((thrown: unknown) => {
      opened.delete(model.sha256);
      throw thrown;
    });
    if (!scorer) opened.delete(model.sha256);
    const [oldest] = opened.keys();
    if (opened.size > KEPT && oldest !== undefined) {
      const old = opened.get(oldest);
      opened.delete(oldest);
      await close(old);
    }
    return scorer;
  };

  return {
    async explain({ tasks, modalities, text }) {
      const score = tasks.find(({ task }) => task === 'informative');
      if (score?.probability == null || !score.model || modalities.includes('image')) return null;
      const scorer = await scorerOf(score.model);
      if (!scorer || !words) return null;
      const { vocabulary } = words[scorer.reading];
      const input = { words: vocabulary.encode(text), pixels: null };
      const post = { tokens: vocabulary.read(text), input, probability: score.probability };
      const [found] = await topWords(scorer, [post]);
      return (found ?? []).map(wordEvidence);
    },
    async close() {
      await Promise.all([...opened.values()].map(close));
    },
  };
}
