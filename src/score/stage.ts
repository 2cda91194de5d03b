/** Stage: drafts → scores a person can use: probability, decision and what they rest on. */
import type { TaskScore } from '../event/records.ts';
import { shareEvidence } from '../event/shares.ts';
import type {
  ClassOutput,
  ClassScorer,
  DecisionThresholds,
  ScoreOutput,
  Scorer,
  Scorers,
} from '../models/port.ts';
import type { Embedded, Scored } from '../pipeline/post.ts';
import { passed, type Stage } from '../pipeline/stage.ts';
import { type Asked, inputsFor } from './asked.ts';
import { type ShadowOptions, scoreBeside } from './shadow.ts';

/** Pictures of one post that are scored; the label rests on the one that scores highest. */
export const MAX_SCORED_PICTURES: number = 4;
const FEW_WORDS = 3;

/**
 * Scores are the same whatever else is in the batch: the scorers promise that.
 * @param sequence of the desired state that the scorers belong to
 */
export function createScoreStage(
  { informative, humanitarian }: Scorers,
  sequence = 0,
  shadow: ShadowOptions | null = null,
): Stage<Embedded, Scored> {
  return {
    name: 'score',
    async process(batch) {
      const inputs: Asked[] = [];
      const first: number[] = [];
      for (const { draft, rows } of batch) {
        first.push(inputs.length);
        const pictures = draft.ready.slice(0, MAX_SCORED_PICTURES);
        for (const { pixels64 } of pictures) if (pixels64) inputs.push({ rows, pixels: pixels64 });
        if (pictures.length === 0 && Object.values(rows).some((words) => knownWords(words) > 0))
          inputs.push({ rows, pixels: null });
      }
      const [outputs, classes] =
        inputs.length === 0
          ? [[], []]
          : await Promise.all([
              informative.score(inputsFor(informative, inputs)),
              humanitarian.score(inputsFor(humanitarian, inputs)),
            ]);
      const ownOf = (i: number) => [first[i], first[i + 1] ?? inputs.length] as const;
      const beside = shadow
        ? await scoreBeside(
            shadow,
            batch.map(({ draft }, i) => ({ id: draft.context.labelId, inputs: inputs.slice(...ownOf(i)) })),
          )
        : null;
      return batch.map((embedded, i) => {
        const own = ownOf(i);
        const scored = judge(informative, embedded, outputs.slice(...own));
        const tasks = [...scored.tasks, ...judgeClasses(humanitarian, classes.slice(...own))];
        return passed({
          ...scored,
          tasks: beside ? beside(i, tasks) : tasks,
          thresholds: `${informative.thresholds.name} ${humanitarian.thresholds}`,
          modelSequence: sequence,
        });
      });
    },
  };
}

function judge(
  scorer: Scorer,
  { draft, rows }: Embedded,
  outputs: readonly ScoreOutput[],
): Omit<Scored, 'thresholds' | 'modelSequence'> {
  const evidence: string[] = [];
  const known = knownWords(rows[scorer.reading]);
  if (draft.context.text === '') evidence.push('no_text');
  else if (known === 0) evidence.push('no_known_words');
  else if (known < FEW_WORDS) evidence.push('few_known_words');
  const best = highest(outputs);
  const answer = best < 0 ? null : (outputs[best] as ScoreOutput);
  const modalities = answer?.modalities ?? [];
  if (draft.ready.length > 0) {
    if (!modalities.includes('image')) evidence.push('image_not_scored');
    else if (draft.ready.length > 1) evidence.push(`picture:${draft.ready[best]?.id}`);
  }
  if (answer) evidence.push(...shareEvidence(answer, scorer.thresholds));
  const probability = answer?.probability ?? null;
  const task: TaskScore = {
    task: 'informative',
    label: null,
    probability,
    decision: decide(probability, scorer.thresholds),
    byModality: answer?.byModality ?? { text: null, image: null },
    evidence,
    model: probability === null ? null : scorer.model,
    challenger: null,
  };
  return { draft, tasks: [task], modalities };
}

/**
 * What the post tells of: every class that is not `no`, and always the likeliest, so that a label says what was found even
 * where that is nothing. Classes below their `no` are left out: most posts have one class of six at most, and a label is
 * kept for a month. Each class rests on the picture that speaks most for it. Reasons for a lack of words stand at `informative`.
 */
function judgeClasses(scorer: ClassScorer, outputs: readonly ClassOutput[]): TaskScore[] {
  const scores = scorer.classes.map(({ name, yes, no }, k): TaskScore => {
    let best: ClassOutput | null = null;
    for (const output of outputs)
      if (output.probabilities && (output.probabilities[k] as number) > (best?.probabilities?.[k] ?? -1))
        best = output;
    const probability = best?.probabilities?.[k] ?? null;
    return {
      task: 'humanitarian',
      label: name,
      probability,
      decision: decide(probability, { yes, no }),
      byModality: { text: best?.byModality.text?.[k] ?? null, image: best?.byModality.image?.[k] ?? null },
      evidence: [],
      model: scorer.model,
      challenger: null,
    };
  });
  const likeliest = scores.reduce<TaskScore | null>(
    (best, score) =>
      score.probability !== null && score.probability > (best?.probability ?? -1) ? score : best,
    null,
  );
  return likeliest
    ? scores.filter((score) => score === likeliest || score.decision !== 'no')
    : [{ ...(scores[0] as TaskScore), label: null, model: null }];
}

/** `yes` at or above the upper threshold, `no` at or below the lower one; `unsure` between, and without a score. */
export function decide(
  probability: number | null,
  thresholds: Omit<DecisionThresholds, 'name'>,
): TaskScore['decision'] {
  if (probability === null) return 'unsure';
  if (probability >= thresholds.yes) return 'yes';
  return probability <= thresholds.no ? 'no' : 'unsure';
}

/** Index of the highest probability, the first of equals; -1 for none. */
function highest(outputs: readonly ScoreOutput[]): number {
  let best = -1;
  for (const [i, { probability }] of outputs.entries())
    if (probability !== null && probability > (outputs[best]?.probability ?? -1)) best = i;
  return best;
}

function knownWords(words: Int32Array): number {
  let known = 0;
  for (const row of words) if (row !== 0) known += 1;
  return known;
}
