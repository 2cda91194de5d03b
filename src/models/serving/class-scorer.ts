/** A model with several classes that serves: posts → a calibrated probability for each class. */
import { TocsinError } from '../../base/errors.ts';
import { type Basis, classProbabilities } from '../class-probabilities.ts';
import type { ClassOutput, ClassScorer } from '../port.ts';
import { modalitiesOf, openGraphs, type PostLogits, type ScorerOptions } from './graphs.ts';

/** Throws MODEL_INVALID as `openGraphs` does, and for a model that only says yes or no. */
export async function openClassScorer(options: ScorerOptions): Promise<ClassScorer> {
  const graphs = await openGraphs(options);
  const { manifest } = graphs;
  const { classes } = manifest;
  if (!classes) {
    await graphs.close();
    throw new TocsinError(
      'MODEL_INVALID',
      `Loading the model in ${options.dir}: ${manifest.name} has no classes.`,
    );
  }
  const output = (row: PostLogits): ClassOutput => {
    const of = (basis: Basis): number[] | null => {
      const logits = row[basis];
      return logits && classProbabilities(manifest.architecture.head, classes, basis, logits);
    };
    const byModality = { text: of('text'), image: of('image') };
    const probabilities = row.both ? of('both') : (byModality.text ?? byModality.image);
    return { probabilities, byModality, modalities: modalitiesOf(row) };
  };
  return {
    model: graphs.model,
    reading: graphs.reading,
    classes: classes.map(({ name, yes, no }) => ({ name, yes, no })),
    thresholds: manifest.thresholds.name,
    score: async (batch) => (await graphs.logits(batch)).map(output),
    close: () => graphs.close(),
  };
}
