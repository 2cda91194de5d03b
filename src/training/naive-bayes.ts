/** Multinomial naive Bayes over words (Chinese: pairs of characters): the plain model that a network has to beat. */
import { sigmoid } from './measure.ts';
import { termsOf } from './words-of.ts';

/** Learns from labelled texts and gives the probability of class 1 for any text. Laplace smoothing 1. */
export function trainNaiveBayes(
  examples: readonly { readonly text: string; readonly label: 0 | 1 }[],
): (text: string) => number {
  const counts = new Map<string, [number, number]>();
  const totals: [number, number] = [0, 0];
  const documents: [number, number] = [0, 0];
  for (const { text, label } of examples) {
    documents[label] += 1;
    for (const token of termsOf(text)) {
      const count = counts.get(token) ?? [0, 0];
      count[label] += 1;
      totals[label] += 1;
      counts.set(token, count);
    }
  }
  const prior = Math.log((documents[1] + 1) / (documents[0] + 1));
  const shift = Math.log((totals[0] + counts.size) / (totals[1] + counts.size));
  return (text) => {
    let logOdds = prior;
    for (const token of termsOf(text)) {
      const count = counts.get(token);
      if (count) logOdds += Math.log((count[1] + 1) / (count[0] + 1)) + shift;
    }
    return sigmoid(logOdds);
  };
}
