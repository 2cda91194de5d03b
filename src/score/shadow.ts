/** The challenger in the shadow: scores sampled posts beside the champion. It never changes an answer and never holds one up by failing. */
import { partitionOf } from '../base/murmur2.ts';
import type { ChallengerScore, TaskScore } from '../event/records.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { ClassOutput, ClassScorer, Reading, ScoreInput, ScoreOutput, Scorer } from '../models/port.ts';
import { type Asked, inputsFor } from './asked.ts';

export interface ShadowOptions {
  readonly informative: Scorer | null;
  readonly humanitarian: ClassScorer | null;
  /** Share of the posts that are sampled, 0 to 1. */
  readonly share: number;
  readonly metrics: Metrics;
}

/** Puts what the challengers say of a post beside the champions' scores. */
export type Beside = (post: number, tasks: readonly TaskScore[]) => readonly TaskScore[];

/** Which posts are sampled follows from their ids alone, so that every run and revision samples the same. */
const isSampled = (id: string, share: number): boolean => partitionOf(id, 1_000) < share * 1_000;

/** Scores the sampled posts of a batch. @param posts ids with the inputs that the champion was asked */
export async function scoreBeside(
  { informative, humanitarian, share, metrics }: ShadowOptions,
  posts: readonly { readonly id: string; readonly inputs: readonly Asked[] }[],
): Promise<Beside> {
  const sampled = [...posts.keys()].filter((i) => isSampled((posts[i] as { id: string }).id, share));
  const batch = sampled.flatMap((i) => posts[i]?.inputs ?? []);
  const ask = async <O>(
    task: TaskScore['task'],
    scorer: {
      readonly reading: Reading;
      score(batch: readonly ScoreInput[]): Promise<readonly O[]>;
    } | null,
  ): Promise<ReadonlyMap<number, readonly O[]> | null> => {
    if (!scorer || sampled.length === 0) return null;
    try {
      const outputs = batch.length === 0 ? [] : await scorer.score(inputsFor(scorer, batch));
      let at = 0;
      return new Map(
        sampled.map((i) => {
          const from = at;
          at += posts[i]?.inputs.length ?? 0;
          return [i, outputs.slice(from, at)];
        }),
      );
    } catch {
      metrics.count('tocsin_shadow_failures_total', { task });
      return null;
    }
  };
  const [yesNo, classes] = await Promise.all([
    ask('informative', informative),
    ask('humanitarian', humanitarian),
  ]);

  const challengerOf = (post: number, { task, label }: TaskScore): ChallengerScore | null => {
    if (task === 'informative') {
      const outputs = yesNo?.get(post);
      if (!informative || !outputs) return null;
      return {
        probability: highest(outputs.map(({ probability }) => probability)),
        model: informative.model,
      };
    }
    const outputs = classes?.get(post);
    if (!humanitarian || !outputs) return null;
    const k = humanitarian.classes.findIndex(({ name }) => name === label);
    return { probability: highest(outputs.map(classOf(k))), model: humanitarian.model };
  };

  return (post, tasks) =>
    tasks.map((score) => {
      const challenger = challengerOf(post, score);
      if (challenger?.probability != null && score.probability !== null)
        metrics.observe('tocsin_shadow_difference', Math.abs(challenger.probability - score.probability), {
          task: score.task,
        });
      return challenger ? { ...score, challenger } : score;
    });
}

const classOf =
  (k: number) =>
  ({ probabilities }: ClassOutput): number | null =>
    probabilities?.[k] ?? null;

/** As the champion's: the answer rests on the picture that says most. */
function highest(probabilities: readonly ScoreOutput['probability'][]): number | null {
  const known = probabilities.filter((probability) => probability !== null);
  return known.length === 0 ? null : Math.max(...known);
}
