/** Logistic regression on TF-IDF of words and word pairs (Chinese: characters and their pairs): the plain text model that a network has to beat. */
import { seededRandom, shuffled } from '../base/random.ts';
import { sigmoid } from './measure.ts';
import { wordsOf } from './words-of.ts';

/** A term has to stand in so many training texts. */
const FEWEST = 2;
const EPOCHS = 15;
const STEP = 0.5;
/** Pull towards zero, per text. */
const RIDGE = 1e-5;
const SEED = 1;

type Vector = readonly (readonly [term: number, value: number])[];

/**
 * Learns from labelled texts and gives the probability of class 1 for any text. TF-IDF with sublinear counts, unit
 * length; classes weigh the same; AdaGrad (Duchi et al. 2011), 15 passes in a fixed order.
 */
export function trainLogistic(
  examples: readonly { readonly text: string; readonly label: 0 | 1 }[],
): (text: string) => number {
  const documents = new Map<string, number>();
  for (const { text } of examples)
    for (const term of new Set(termsOf(text))) documents.set(term, (documents.get(term) ?? 0) + 1);
  const index = new Map<string, number>();
  const idf: number[] = [];
  for (const [term, count] of documents)
    if (count >= FEWEST) {
      index.set(term, idf.length);
      idf.push(Math.log((1 + examples.length) / (1 + count)) + 1);
    }
  const vectorOf = (text: string): Vector => {
    const counts = new Map<number, number>();
    for (const term of termsOf(text)) {
      const at = index.get(term);
      if (at !== undefined) counts.set(at, (counts.get(at) ?? 0) + 1);
    }
    const raw = [...counts].map(([at, n]) => [at, (1 + Math.log(n)) * (idf[at] as number)] as const);
    const length = Math.hypot(...raw.map(([, value]) => value)) || 1;
    return raw.map(([at, value]) => [at, value / length] as const);
  };

  const weights = new Float64Array(idf.length + 1); // the last is the bias
  const squares = new Float64Array(idf.length + 1).fill(1e-8);
  const bias = idf.length;
  const logit = (vector: Vector): number =>
    vector.reduce((sum, [at, value]) => sum + (weights[at] as number) * value, weights[bias] as number);
  const move = (at: number, gradient: number): void => {
    squares[at] = (squares[at] as number) + gradient * gradient;
    weights[at] = (weights[at] as number) - (STEP * gradient) / Math.sqrt(squares[at] as number);
  };
  const positives = examples.filter(({ label }) => label === 1).length;
  const weightOf = [examples.length - positives, positives].map(
    (n) => examples.length / (2 * Math.max(1, n)),
  );
  const rows = examples.map(({ text, label }) => ({ vector: vectorOf(text), label }));
  const random = seededRandom(SEED);
  for (let epoch = 0; epoch < EPOCHS; epoch += 1)
    for (const { vector, label } of shuffled(rows, random)) {
      const gap = (weightOf[label] as number) * (sigmoid(logit(vector)) - label);
      for (const [at, value] of vector) move(at, gap * value + RIDGE * (weights[at] as number));
      move(bias, gap);
    }
  return (text) => sigmoid(logit(vectorOf(text)));
}

function termsOf(text: string): string[] {
  const words = wordsOf(text);
  return [...words, ...words.slice(1).map((word, i) => `${words[i]} ${word}`)];
}
