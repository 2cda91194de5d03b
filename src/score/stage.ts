/** Stage: drafts → scores a person can use: probability, decision and what they rest on. */
import type { TaskScore } from '../event/records.ts';
import type { DecisionThresholds, ScoreInput, ScoreOutput, Scorer } from '../models/port.ts';
import type { Embedded, Scored } from '../pipeline/post.ts';
import { passed, type Stage } from '../pipeline/stage.ts';

/** Pictures of one post that are scored; the label rests on the one that scores highest. */
export const MAX_SCORED_PICTURES: number = 4;
const FEW_WORDS = 3;

/** Scores are the same whatever else is in the batch: the scorer promises that. */
export function createScoreStage(scorer: Scorer): Stage<Embedded, Scored> {
  return {
    name: 'score',
    async process(batch) {
      const inputs: ScoreInput[] = [];
      const first: number[] = [];
      for (const { draft, words } of batch) {
        first.push(inputs.length);
        const pictures = draft.ready.slice(0, MAX_SCORED_PICTURES);
        for (const { pixels64 } of pictures) if (pixels64) inputs.push({ words, pixels: pixels64 });
        if (pictures.length === 0 && knownWords(words) > 0) inputs.push({ words, pixels: null });
      }
      const outputs = inputs.length === 0 ? [] : await scorer.score(inputs);
      return batch.map((embedded, i) =>
        passed(judge(scorer, embedded, outputs.slice(first[i], first[i + 1] ?? outputs.length))),
      );
    },
  };
}

function judge(scorer: Scorer, { draft, words }: Embedded, outputs: readonly ScoreOutput[]): Scored {
  const evidence: string[] = [];
  const known = knownWords(words);
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
  const probability = answer?.probability ?? null;
  const task: TaskScore = {
    task: 'informative',
    label: null,
    probability,
    decision: decide(probability, scorer.thresholds),
    byModality: answer?.byModality ?? { text: null, image: null },
    evidence,
    model: probability === null ? null : scorer.model,
  };
  return { draft, tasks: [task], modalities, thresholds: scorer.thresholds.name };
}

/** `yes` at or above the upper threshold, `no` at or below the lower one; `unsure` between, and without a score. */
export function decide(probability: number | null, thresholds: DecisionThresholds): TaskScore['decision'] {
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
