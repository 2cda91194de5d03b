/** Judges an artefact on labelled posts with the very files that serve. */
import type { Log } from '../base/log.ts';
import { createMetrics } from '../metrics/metrics.ts';
import { ARTEFACT_FILES, loadArtefact } from '../models/artefact.ts';
import type { Metrics } from '../models/manifest.ts';
import { openScorer } from '../models/serving/scorer.ts';
import { loadVocabulary } from '../models/words.ts';
import { binaryLabel, binaryTaskOf, type Dataset, type Example } from './dataset.ts';
import { answersOf, bySubgroup, type Evaluation } from './evaluation.ts';
import { measure } from './measure.ts';
import { openPictures, pixelsOf } from './pictures.ts';
import { parseSplit, pick } from './splits.ts';

export type EvaluatedPart = 'test' | 'dev' | 'all';

export interface ArtefactEvaluation {
  readonly model: { readonly name: string; readonly version: string; readonly sha256: string };
  readonly data: {
    readonly name: string;
    readonly sha256: string;
    /** Whether it is the file that the model was trained on. */
    readonly sameAsTraining: boolean;
    readonly part: EvaluatedPart;
    /** Posts of that part which the data lack. */
    readonly missing: number;
  };
  /** Posts without one known word have no score and count as not informative with probability 0.5 − ε. */
  readonly unscored: number;
  readonly metrics: Metrics;
  readonly answers: Evaluation['answers'];
  readonly byLanguage: Evaluation['byLanguage'];
}

/**
 * @param part `test` and `dev` as the artefact's own split has them, or everything (a fair judgement only of data that
 *   the model was not trained on)
 */
export async function evaluateArtefact(
  dir: string,
  data: Dataset,
  part: EvaluatedPart,
  log: Log,
): Promise<ArtefactEvaluation> {
  const artefact = await loadArtefact(dir);
  const ids = part === 'all' ? null : parseSplit(artefact.bytes(ARTEFACT_FILES.split))[part];
  const examples: readonly Example[] = ids ? pick(data, ids) : data.examples;
  const vocabulary = loadVocabulary();
  const scorer = await openScorer({ dir, threads: 1, metrics: createMetrics({ bare: true }), log });
  try {
    const task = binaryTaskOf(data);
    const pixels = await pixelsOf(examples, openPictures());
    const outputs = await scorer.score(
      examples.map(({ text }, i) => ({ words: vocabulary.encode(text), pixels: pixels[i] ?? null })),
    );
    const scored = {
      probability: outputs.map(({ probability }) => probability ?? NO_SCORE),
      label: examples.map((example) => binaryLabel(example, task)),
    };
    return {
      model: scorer.model,
      data: {
        name: data.name,
        sha256: data.sha256,
        sameAsTraining: data.sha256 === artefact.manifest.data.sha256,
        part,
        missing: (ids?.length ?? examples.length) - examples.length,
      },
      unscored: outputs.filter(({ probability }) => probability === null).length,
      metrics: measure(scored),
      answers: answersOf(scored, scorer.thresholds),
      byLanguage: bySubgroup(scored, examples, ({ language }) => language),
    };
  } finally {
    await scorer.close();
  }
}

const NO_SCORE = 0.5 - Number.EPSILON;
