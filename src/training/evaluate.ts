/** Judges an artefact on labelled posts: with the very files that serve, or by its network where it is not served. */
import { TocsinError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { createMetrics } from '../metrics/metrics.ts';
import { ARTEFACT_FILES, type Artefact } from '../models/artefact.ts';
import type { Tf } from '../models/engine/tf.ts';
import type { Metrics } from '../models/manifest.ts';
import { openScorer } from '../models/serving/scorer.ts';
import { loadVocabulary } from '../models/words.ts';
import { openNetwork } from '../models/zoo/open.ts';
import { binaryLabel, binaryTaskOf, type Dataset, type Example } from './dataset.ts';
import type { Encoders } from './encoders.ts';
import { answersOf, bySubgroup, type Evaluation } from './evaluation.ts';
import { measure } from './measure.ts';
import { openPictures, pixelsOf } from './pictures.ts';
import { probabilities, show } from './score.ts';
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

/** Probabilities of yes; null for a post that the model gives no score. */
export type ScorePosts = (examples: readonly Example[]) => Promise<readonly (number | null)[]>;

/** Whether the artefact holds what serving needs. */
export const isServed = ({ manifest }: Artefact): boolean =>
  manifest.files[ARTEFACT_FILES.text] !== undefined;

/**
 * @param part `test` and `dev` as the artefact's own split has them, or everything (a fair judgement only of data that
 *   the model was not trained on)
 */
export async function evaluateArtefact(
  artefact: Artefact,
  data: Dataset,
  part: EvaluatedPart,
  score: ScorePosts,
): Promise<ArtefactEvaluation> {
  const { manifest } = artefact;
  const ids = part === 'all' ? null : parseSplit(artefact.bytes(ARTEFACT_FILES.split))[part];
  const examples: readonly Example[] = ids ? pick(data, ids) : data.examples;
  const task = binaryTaskOf(data);
  const given = await score(examples);
  const scored = {
    probability: given.map((probability) => probability ?? NO_SCORE),
    label: examples.map((example) => binaryLabel(example, task)),
  };
  const file = isServed(artefact) ? ARTEFACT_FILES.text : ARTEFACT_FILES.weights;
  return {
    model: { name: manifest.name, version: manifest.version, sha256: manifest.files[file]?.sha256 ?? '' },
    data: {
      name: data.name,
      sha256: data.sha256,
      sameAsTraining: data.sha256 === manifest.data.sha256,
      part,
      missing: (ids?.length ?? examples.length) - examples.length,
    },
    unscored: given.filter((probability) => probability === null).length,
    metrics: measure(scored),
    answers: answersOf(scored, manifest.thresholds),
    byLanguage: bySubgroup(scored, examples, ({ language }) => language),
  };
}

/** Scores with ONNX Runtime, as the label worker does. */
export const servedScores =
  (artefact: Artefact, log: Log): ScorePosts =>
  async (examples) => {
    const vocabulary = loadVocabulary();
    const pixels = await pixelsOf(examples, openPictures());
    const { dir } = artefact;
    const scorer = await openScorer({ dir, threads: 1, metrics: createMetrics({ bare: true }), log });
    try {
      const outputs = await scorer.score(
        examples.map(({ text }, i) => ({ words: vocabulary.encode(text), pixels: pixels[i] ?? null })),
      );
      return outputs.map(({ probability }) => probability);
    } finally {
      await scorer.close();
    }
  };

/** Scores with the network itself. Throws MODEL_INVALID when its encoders are not those that it was trained with. */
export const networkScores =
  (tf: Tf, artefact: Artefact, encoders: Encoders): ScorePosts =>
  async (examples) => {
    const { architecture: made, calibration, modalities, encoders: wanted, name } = artefact.manifest;
    for (const { modality, id, preprocess, sha256 } of wanted) {
      const found = encoders[modality];
      if (found?.id !== id || found.preprocess !== preprocess || found.weights.sha256 !== sha256)
        throw new TocsinError(
          'MODEL_INVALID',
          `Scoring with ${name}: it was trained on another ${modality} encoder (${id}).`,
        );
    }
    const { network, architecture, config } = openNetwork(tf, artefact);
    try {
      const columns = architecture
        .columns(config)
        .filter((column) => modalities.image === 'trained' || column !== 'pixels');
      const scoring = { tf, network, head: made.head, columns, dims: made.dims, encoders };
      return await probabilities(scoring, calibration, await show(examples, [], openPictures()));
    } finally {
      network.dispose();
    }
  };

const NO_SCORE = 0.5 - Number.EPSILON;
