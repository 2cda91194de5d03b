/** From examples to probabilities of yes, by a network as it stands in memory. */
import { TocsinError } from '../base/errors.ts';
import { type Basis, classProbabilities } from '../models/class-probabilities.ts';
import type { Tf } from '../models/engine/tf.ts';
import type { Calibration, ServedClass } from '../models/manifest.ts';
import type { Column, Dims, Head, Network } from '../models/zoo/contract.ts';
import { buildTable, type Shown } from './build-table.ts';
import type { Example } from './dataset.ts';
import type { Encoders } from './encoders.ts';
import { sigmoid } from './measure.ts';
import { type Pictures, pixelsOf } from './pictures.ts';
import { predict } from './train.ts';

/** A network with all that it takes to show it an example. */
export interface Scoring {
  readonly tf: Tf;
  readonly network: Network;
  readonly head: Head;
  /** Those that it is shown. */
  readonly columns: readonly Column[];
  readonly dims: Dims;
  readonly encoders: Encoders;
}

/** By what a row has; null for what the model never learnt. */
export type Calibrations = Readonly<Record<'text' | 'image' | 'both', Calibration | null>>;

export const isPictured = ({ pixels }: Pick<Shown, 'pixels'>): boolean => pixels !== null;

/** Examples as tables need them. @param events training events in their order, for the `event` column */
export async function show(
  examples: readonly Example[],
  events: readonly string[],
  pictures: Pictures,
): Promise<Shown[]> {
  const pixels = await pixelsOf(examples, pictures);
  return examples.map(({ text, picture, event }, i) => ({
    text,
    pixels: pixels[i] ?? null,
    large: () => pictures.large(picture),
    event: events.indexOf(event),
  }));
}

/** The logits of each example, [outputs] each. */
export async function logitsOf(scoring: Scoring, examples: readonly Shown[]): Promise<number[][]> {
  const { tf, network, head, columns, dims, encoders } = scoring;
  const { outputs } = head;
  const logits = predict(tf, network, head, await buildTable(examples, columns, encoders, dims));
  return examples.map((_, i) => Array.from(logits.subarray(i * outputs, (i + 1) * outputs)));
}

/** The logit of yes, of a head with one output or with those of no and yes. */
export const yesLogit = (logits: readonly number[]): number =>
  logits.length === 1 ? (logits[0] as number) : (logits[1] as number) - (logits[0] as number);

/** One logit of yes for each example. */
export const yesLogits = async (scoring: Scoring, examples: readonly Shown[]): Promise<number[]> =>
  (await logitsOf(scoring, examples)).map(yesLogit);

/** The probabilities of every class for each example. */
export async function classScores(
  scoring: Scoring,
  classes: readonly Pick<ServedClass, 'calibration'>[],
  examples: readonly Shown[],
): Promise<number[][]> {
  const logits = await logitsOf(scoring, examples);
  const learnt = (basis: Basis): boolean => classes[0]?.calibration[basis] != null;
  return examples.map((example, i) => {
    const wanted: readonly Basis[] = isPictured(example) ? ['both', 'image', 'text'] : ['text', 'image'];
    const basis = wanted.find(learnt);
    const probabilities = basis && classProbabilities(scoring.head, classes, basis, logits[i] as number[]);
    if (!probabilities) throw new TocsinError('INTERNAL', 'Scoring classes: nothing is calibrated.');
    return probabilities;
  });
}

/** Calibrated probabilities of yes. */
export async function probabilities(
  scoring: Scoring,
  { text, image, both }: Calibrations,
  examples: readonly Shown[],
): Promise<number[]> {
  const z = await yesLogits(scoring, examples);
  return examples.map((example, i) => {
    const chosen = (isPictured(example) ? (both ?? image) : null) ?? text ?? image;
    const { scale, bias } = chosen ?? { scale: 1, bias: 0 };
    return sigmoid(scale * (z[i] as number) + bias);
  });
}
