/** A yes-or-no model that serves: posts → calibrated probabilities. */
import { TocsinError } from '../../base/errors.ts';
import type { Calibration } from '../manifest.ts';
import type { ScoreOutput, Scorer } from '../port.ts';
import { modalitiesOf, openGraphs, type PostLogits, type ScorerOptions } from './graphs.ts';

/** Throws MODEL_INVALID as `openGraphs` does, and for a model with several classes. */
export async function openScorer(options: ScorerOptions): Promise<Scorer> {
  const graphs = await openGraphs(options);
  const { calibration, thresholds, classes, name } = graphs.manifest;
  if (classes) {
    await graphs.close();
    throw new TocsinError(
      'MODEL_INVALID',
      `Loading the model in ${options.dir}: ${name} has several classes.`,
    );
  }
  const output = (row: PostLogits): ScoreOutput => {
    const of = (part: keyof PostLogits): number | null => {
      const logits = row[part];
      return logits && calibrated(logits[0] as number, calibration[part]);
    };
    const byModality = { text: of('text'), image: of('image') };
    const probability = row.both ? of('both') : (byModality.text ?? byModality.image);
    return { probability, byModality, modalities: modalitiesOf(row) };
  };
  return {
    model: graphs.model,
    reading: graphs.reading,
    thresholds,
    score: async (batch) => (await graphs.logits(batch)).map(output),
    close: () => graphs.close(),
  };
}

/** A logit → the share of such posts that are positive. Null where the model has no calibration for it. */
export function calibrated(logit: number, calibration: Calibration | null): number | null {
  return calibration ? 1 / (1 + Math.exp(-(calibration.scale * logit + calibration.bias))) : null;
}
