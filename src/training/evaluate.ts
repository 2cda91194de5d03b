/** Judges an artefact on labelled posts: with the very files that serve, or by its network where it is not served. */
import { TocsinError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { seededRandom, shuffled } from '../base/random.ts';
import { createMetrics } from '../metrics/metrics.ts';
import { ARTEFACT_FILES, type Artefact } from '../models/artefact.ts';
import type { OpenEncoder } from '../models/encoders/catalogued.ts';
import type { Tf } from '../models/engine/tf.ts';
import type { Measured, Metrics } from '../models/manifest.ts';
import type { RumourScorer, ScoreInput, Vocabulary } from '../models/port.ts';
import { openRumourScorer } from '../models/serving/rumour-scorer.ts';
import { openScorer } from '../models/serving/scorer.ts';
import { loadWords, readingOf, type Words } from '../models/words.ts';
import { openNetwork } from '../models/zoo/open.ts';
import { groupClaims } from './claims.ts';
import { accuracyAt, type ReliabilityBin, type RiskPoint, reliability, riskCoverage } from './curves.ts';
import { binaryLabel, binaryTaskOf, type Dataset, type Example } from './dataset.ts';
import type { Encoders } from './encoders.ts';
import { answersOf, bySubgroup, type ClaimFigures, claimsOf, type Evaluation } from './evaluation.ts';
import type { PictureHashes } from './groups.ts';
import { trainLogistic } from './logistic.ts';
import { BINS, measure, rounded, type Scored, wilson } from './measure.ts';
import { type ClassesMeasured, measureClasses } from './measure-classes.ts';
import { trainNaiveBayes } from './naive-bayes.ts';
import { hashesOf, openPictures, type Pictures, pixelsOf } from './pictures.ts';
import { probabilities, type Scoring, show } from './score.ts';
import { parseSplit, pick, splitBy } from './splits.ts';
import { type BinaryTask, TASKS } from './tasks.ts';

export type EvaluatedPart = 'train' | 'dev' | 'test' | 'all';

/** Which posts judge the model. */
export interface Choice {
  /** `own`: the artefact's split; `all`: every post; else a protocol of `splitBy`, made of these data. */
  readonly split: string;
  readonly part: EvaluatedPart;
  /** Of the protocol's split and of the draw that `limit` asks for. */
  readonly seed: number;
  /** Only posts whose picture is at hand. */
  readonly withPicture: boolean;
  /** Most posts; drawn by the seed. */
  readonly limit: number | null;
}

export const CHOICE_DEFAULTS: Choice = {
  split: 'own',
  part: 'test',
  seed: 1,
  withPicture: false,
  limit: null,
};

type Interval = Measured['interval'];

/** Which model was judged, and on what. */
export interface EvaluationFacts {
  readonly model: { readonly name: string; readonly version: string; readonly sha256: string };
  readonly data: {
    readonly name: string;
    readonly sha256: string;
    /** Why the labels only stand in for the task's own; null when they are its own. */
    readonly weak: string | null;
    /** Whether it is the file that the model was trained on. */
    readonly sameAsTraining: boolean;
    readonly split: string;
    readonly part: EvaluatedPart;
    /** Posts of that part which the data lack. */
    readonly missing: number;
    /** Posts judged here that the model was trained or tuned on. */
    readonly seenInTraining: number;
    /** Rows that the reader left out, by reason. */
    readonly left: Dataset['left'];
  };
}

export interface ArtefactEvaluation extends EvaluationFacts {
  readonly task: BinaryTask;
  readonly n: number;
  readonly accuracy: number;
  readonly balancedAccuracy: number;
  readonly macroF1: number;
  readonly auroc: number;
  /** Expected calibration error, 15 bins of equal size. */
  readonly ece: number;
  /** Accuracy of always the larger class. */
  readonly majority: number;
  /** Share of posts that get yes or no, not unsure. */
  readonly coverage: number;
  /** 95 %: over posts, for rumours over claims. */
  readonly intervals: Readonly<
    Record<'accuracy' | 'balancedAccuracy' | 'macroF1' | 'auroc' | 'majority' | 'coverage', Interval>
  >;
  /** Accuracy on the surest 80 % and on all posts. */
  readonly selective: { readonly at80: number; readonly at100: number };
  /** Posts without one known word have no score and count as no with probability 0.5 − ε. */
  readonly unscored: number;
  readonly metrics: Metrics;
  readonly byClass: ClassesMeasured['byClass'];
  /** Plain models on the same posts, learnt from the split's training part; null where there is none. */
  readonly baselines: {
    readonly majority: Metrics;
    readonly naiveBayes: Metrics | null;
    readonly logistic: Metrics | null;
  };
  /** For rumours: the same figures with intervals over claims, and one answer a claim. */
  readonly claims: ClaimFigures | null;
  readonly answers: Evaluation['answers'];
  readonly curves: {
    readonly reliability: readonly ReliabilityBin[];
    readonly riskCoverage: readonly RiskPoint[];
  };
  readonly byLanguage: Evaluation['byLanguage'];
  readonly byEvent: Evaluation['byEvent'];
}

/** Probabilities of yes; null for a post that the model gives no score. */
export type ScorePosts = (examples: readonly Example[]) => Promise<readonly (number | null)[]>;

/** The graph that serves; null for an artefact that is not served. */
export const servedFile = ({ manifest }: Artefact): 'text.onnx' | 'rumour.onnx' | null =>
  [ARTEFACT_FILES.text, ARTEFACT_FILES.rumour].find((name) => manifest.files[name] !== undefined) ?? null;

/**
 * Judges an artefact on the posts of a choice. Throws BAD_USAGE when there is none, and for a task with more than two
 * answers.
 */
export async function evaluateArtefact(
  artefact: Artefact,
  data: Dataset,
  choice: Choice,
  score: ScorePosts,
): Promise<ArtefactEvaluation> {
  const { manifest } = artefact;
  const task = binaryTaskOf(data);
  const pictures = openPictures();
  const { examples, train, facts } = await choose(artefact, data, choice, pictures);
  const labelOf = (example: Example): 0 | 1 => binaryLabel(example, task);
  const label = examples.map(labelOf);
  const given = await score(examples);
  const scored = { probability: given.map((probability) => probability ?? NO_SCORE), label };
  const metrics = measure(scored);
  const curve = riskCoverage(scored);
  const answers = answersOf(scored, manifest.thresholds);
  const claims =
    task === 'rumour' ? claimsOf(scored, groupClaims(examples, await hashesOf(examples, pictures))) : null;
  const over = claims?.posts ?? metrics;
  const larger = Math.max(metrics.positives, metrics.n - metrics.positives);
  const answered = Math.round((1 - answers.unsure) * metrics.n);
  const targets = label.map((y) => [1 - y, y]);
  const guesses = scored.probability.map((p) => [1 - p, p]);
  return {
    task,
    n: metrics.n,
    accuracy: metrics.accuracy.value,
    balancedAccuracy: metrics.balancedAccuracy.value,
    macroF1: metrics.macroF1.value,
    auroc: metrics.auroc.value,
    ece: metrics.ece,
    majority: rounded(larger / metrics.n),
    coverage: rounded(answered / metrics.n),
    intervals: {
      accuracy: over.accuracy.interval,
      balancedAccuracy: over.balancedAccuracy.interval,
      macroF1: over.macroF1.interval,
      auroc: over.auroc.interval,
      majority: wilson(larger, metrics.n),
      coverage: wilson(answered, metrics.n),
    },
    selective: { at80: rounded(accuracyAt(curve, 0.8)), at100: rounded(accuracyAt(curve, 1)) },
    ...facts,
    unscored: given.filter((probability) => probability === null).length,
    metrics,
    byClass: measureClasses({ classes: TASKS[task].classes, scores: guesses, targets }, yesNoAnswers(scored))
      .byClass,
    baselines: {
      majority: measure({
        probability: label.map(() => (2 * metrics.positives >= metrics.n ? 1 : 0)),
        label,
      }),
      ...plainModels(train, examples, labelOf),
    },
    claims,
    answers,
    curves: { reliability: reliability(scored, BINS), riskCoverage: thinned(curve) },
    byLanguage: bySubgroup(scored, examples, ({ language }) => language),
    byEvent: bySubgroup(scored, examples, ({ event }) => event),
  };
}

/** The posts of a choice, those that trained on its split, and what a reader must know of them. Throws BAD_USAGE for none. */
export async function choose(
  artefact: Artefact,
  data: Dataset,
  choice: Choice,
  pictures: Pictures,
): Promise<{ examples: Example[]; train: Example[]; facts: EvaluationFacts }> {
  const { manifest } = artefact;
  const own = manifest.files[ARTEFACT_FILES.split] ? parseSplit(artefact.bytes(ARTEFACT_FILES.split)) : null;
  const { split, part } = choice;
  const hashes = split === 'own' || split === 'all' ? NO_HASHES : await hashesOf(data.examples, pictures);
  if (split === 'own' && !own)
    throw new TocsinError(
      'BAD_USAGE',
      `Evaluating ${manifest.name}: it has no split of its own. Is --split all meant?`,
    );
  const made = split === 'own' ? own : split === 'all' ? null : splitBy(data, split, choice.seed, hashes);
  const ids = made === null ? null : part === 'all' ? [...made.train, ...made.dev, ...made.test] : made[part];
  const found = ids ? pick(data, ids) : data.examples;
  const examples = await chosen(found, choice, pictures);
  if (examples.length === 0)
    throw new TocsinError(
      'BAD_USAGE',
      `Evaluating ${manifest.name} on ${data.name}: split ${split}, part ${part} has no posts there. Is --split all meant?`,
    );
  const known = new Set([...(own?.train ?? []), ...(own?.dev ?? [])]);
  const file = servedFile(artefact) ?? ARTEFACT_FILES.weights;
  return {
    examples,
    train: made === null ? [] : pick(data, made.train),
    facts: {
      model: { name: manifest.name, version: manifest.version, sha256: manifest.files[file]?.sha256 ?? '' },
      data: {
        name: data.name,
        sha256: data.sha256,
        weak: data.weak,
        sameAsTraining: data.sha256 === manifest.data.sha256,
        split,
        part: made === null ? 'all' : part,
        missing: (ids?.length ?? found.length) - found.length,
        seenInTraining: examples.filter(({ id }) => known.has(id)).length,
        left: data.left,
      },
    },
  };
}

const NO_HASHES: PictureHashes = new Map();

/** The posts that `withPicture` and `limit` leave, in the order of the data. */
async function chosen(
  examples: readonly Example[],
  { withPicture, limit, seed }: Choice,
  pictures: Pictures,
): Promise<Example[]> {
  const kept: Example[] = [];
  for (const example of examples)
    if (!withPicture || (await pictures.pixels(example.picture)) !== null) kept.push(example);
  if (limit === null || kept.length <= limit) return kept;
  const drawn = new Set(shuffled(kept, seededRandom(seed)).slice(0, limit));
  return kept.filter((example) => drawn.has(example));
}

const yesNoAnswers = ({ probability }: Scored): number[][] =>
  probability.map((p) => (p >= 0.5 ? [0, 1] : [1, 0]));

function plainModels(
  train: readonly Example[],
  examples: readonly Example[],
  labelOf: (example: Example) => 0 | 1,
): Pick<ArtefactEvaluation['baselines'], 'naiveBayes' | 'logistic'> {
  if (train.length === 0) return { naiveBayes: null, logistic: null };
  const rows = train.map((example) => ({ text: example.text, label: labelOf(example) }));
  const label = examples.map(labelOf);
  const judged = (predict: (text: string) => number): Metrics =>
    measure({ probability: examples.map(({ text }) => predict(text)), label });
  return { naiveBayes: judged(trainNaiveBayes(rows)), logistic: judged(trainLogistic(rows)) };
}

/** At most some hundred points, the last among them. */
function thinned(curve: readonly RiskPoint[]): RiskPoint[] {
  const step = Math.ceil(curve.length / 100);
  return curve.filter((_, i) => (curve.length - 1 - i) % step === 0);
}

/** Scores with ONNX Runtime, as the label worker does. */
export const servedScores =
  (artefact: Artefact, log: Log): ScorePosts =>
  async (examples) => {
    const { dir } = artefact;
    const words = wordsOf(artefact);
    const scorer = await openScorer({
      dir,
      words: [words],
      threads: 1,
      metrics: createMetrics({ bare: true }),
      log,
    });
    try {
      const inputs = await scoreInputs(examples, words.vocabulary);
      return (await scorer.score(inputs)).map(({ probability }) => probability);
    } finally {
      await scorer.close();
    }
  };

/** The words as this model reads them. Throws MODEL_INVALID where nothing here reads so. */
export const wordsOf = ({ manifest }: Artefact): Words => loadWords(readingOf(manifest.words?.id));

/** Examples as the scoring threads take them. */
export async function scoreInputs(
  examples: readonly Example[],
  vocabulary: Pick<Vocabulary, 'encode'>,
): Promise<ScoreInput[]> {
  const pixels = await pixelsOf(examples, openPictures());
  return examples.map(({ text }, i) => ({ words: vocabulary.encode(text), pixels: pixels[i] ?? null }));
}

/** Contents that are decoded and scored at once. */
const CHUNK = 64;

/** Scores with encoders and graph, as the scorer does. */
export const servedRumourScores =
  ({ dir }: Artefact, openEncoder: OpenEncoder, log: Log): ScorePosts =>
  async (examples) => {
    const scorer = await openRumourScorer({ dir, openEncoder, metrics: createMetrics({ bare: true }), log });
    try {
      return await scoreRumours(scorer, examples, openPictures());
    } finally {
      await scorer.close();
    }
  };

/** A rumour scorer's probabilities, a few posts at a time: their pictures are large. */
export async function scoreRumours(
  scorer: RumourScorer,
  examples: readonly Example[],
  pictures: Pictures,
): Promise<(number | null)[]> {
  const scores: (number | null)[] = [];
  for (let from = 0; from < examples.length; from += CHUNK) {
    const inputs = examples
      .slice(from, from + CHUNK)
      .map(async ({ text, picture }) => ({ text, picture: await pictures.large(picture) }));
    const outputs = await scorer.score(await Promise.all(inputs));
    scores.push(...outputs.map(({ probability }) => probability));
  }
  return scores;
}

/** Scores with the network itself. Throws MODEL_INVALID when its encoders are not those that it was trained with. */
export const networkScores =
  (tf: Tf, artefact: Artefact, encoders: Encoders): ScorePosts =>
  (examples) =>
    withNetwork(tf, artefact, encoders, async (scoring) =>
      probabilities(scoring, artefact.manifest.calibration, await show(examples, [], openPictures())),
    );

/** Lets `use` score with the network of an artefact. Throws MODEL_INVALID for encoders other than its own. */
export async function withNetwork<T>(
  tf: Tf,
  artefact: Artefact,
  encoders: Encoders,
  use: (scoring: Scoring) => Promise<T>,
): Promise<T> {
  const { architecture: made, modalities, encoders: wanted, name } = artefact.manifest;
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
    return await use({ tf, network, head: made.head, columns, dims: made.dims, encoders });
  } finally {
    network.dispose();
  }
}

const NO_SCORE = 0.5 - Number.EPSILON;
