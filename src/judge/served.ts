/** A model as it serves, whatever its task: posts in, a row of probabilities and of answers out. */
import type { Clock } from '../base/clock.ts';
import { TocsinError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { createMetrics } from '../metrics/metrics.ts';
import type { Artefact } from '../models/artefact.ts';
import type { OpenEncoder } from '../models/encoders/catalogued.ts';
import type { ScoreInput } from '../models/port.ts';
import { openClassScorer } from '../models/serving/class-scorer.ts';
import { openRumourScorer } from '../models/serving/rumour-scorer.ts';
import { openScorer } from '../models/serving/scorer.ts';
import type { Words } from '../models/words.ts';
import type { Example } from '../training/dataset.ts';
import { scoreInputs, scoreRumours, wordsOf } from '../training/evaluate.ts';
import { classAnswers, severalOf } from '../training/fit-classes.ts';
import { openPictures } from '../training/pictures.ts';
import { isBinary, TASKS } from '../training/tasks.ts';

export interface ServedDeps {
  readonly log: Log;
  readonly clock: Clock;
  /** Of the rumour model's frozen encoders. */
  readonly openEncoder: OpenEncoder;
}

/** One row per post, one column per class; a yes-or-no task has two columns, no and yes. */
export interface Scores {
  /** Null for a post that the model gives no score. */
  readonly probabilities: readonly (readonly number[] | null)[];
  /** Zeros and ones at the task's usual thresholds. */
  readonly answers: readonly (readonly number[])[];
}

export interface Served {
  readonly artefact: Artefact;
  readonly classes: readonly string[];
  /** What a label would say of a class at this probability. */
  decide(k: number, probability: number): 'yes' | 'no' | 'unsure';
  score(examples: readonly Example[]): Promise<Scores>;
  /** How it reads words; null for a model that reads other columns. */
  readonly words: Words | null;
  /** Words and pixels as an attack leaves them; null for a model that reads other columns. */
  readonly scoreInputs: ((inputs: readonly ScoreInput[]) => Promise<Scores>) | null;
  close(): Promise<void>;
}

/** Opens the files that serve and checks the golden batch. Throws MODEL_INVALID as the scorers do. */
export async function openServed(
  artefact: Artefact,
  { log, clock, openEncoder }: ServedDeps,
): Promise<Served> {
  const { dir, manifest } = artefact;
  const { task, classes: several, thresholds } = manifest;
  const common = { dir, metrics: createMetrics({ bare: true }), log, clock };
  if (several) {
    const words = wordsOf(artefact);
    const scorer = await openClassScorer({ ...common, words: [words], threads: 1 });
    const kind = severalOf({ task });
    const nothing = several.map(() => 0);
    const score = async (inputs: readonly ScoreInput[]): Promise<Scores> => {
      const probabilities = (await scorer.score(inputs)).map((row) => row.probabilities);
      return {
        probabilities,
        answers: probabilities.map((row) =>
          row === null ? nothing : (classAnswers(kind, [row], several)[0] as number[]),
        ),
      };
    };
    return {
      artefact,
      classes: several.map(({ name }) => name),
      decide(k, probability) {
        const { yes, no } = several[k] as (typeof several)[number];
        return probability >= yes ? 'yes' : probability <= no ? 'no' : 'unsure';
      },
      score: async (examples) => score(await scoreInputs(examples, words.vocabulary)),
      words,
      scoreInputs: score,
      close: () => scorer.close(),
    };
  }
  if (!isBinary(task)) throw new TocsinError('MODEL_INVALID', `Judging ${manifest.name}: it has no classes.`);
  const rows = (probability: readonly (number | null)[]): Scores => ({
    probabilities: probability.map((p) => (p === null ? null : [1 - p, p])),
    answers: probability.map((p) => (p !== null && p >= 0.5 ? [0, 1] : [1, 0])),
  });
  const form = {
    artefact,
    classes: TASKS[task].classes,
    decide: (k: number, probability: number): 'yes' | 'no' | 'unsure' => {
      const { yes, no } = k === 1 ? thresholds : { yes: 1 - thresholds.no, no: 1 - thresholds.yes };
      return probability >= yes ? 'yes' : probability <= no ? 'no' : 'unsure';
    },
  };
  if (task === 'rumour') {
    const scorer = await openRumourScorer({ ...common, openEncoder });
    const pictures = openPictures();
    return {
      ...form,
      score: async (examples) => rows(await scoreRumours(scorer, examples, pictures)),
      words: null,
      scoreInputs: null,
      close: () => scorer.close(),
    };
  }
  const words = wordsOf(artefact);
  const scorer = await openScorer({ ...common, words: [words], threads: 1 });
  const score = async (inputs: readonly ScoreInput[]): Promise<Scores> =>
    rows((await scorer.score(inputs)).map(({ probability }) => probability));
  return {
    ...form,
    score: async (examples) => score(await scoreInputs(examples, words.vocabulary)),
    words,
    scoreInputs: score,
    close: () => scorer.close(),
  };
}
