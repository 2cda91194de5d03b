/** Figures for tasks with more than two classes: one class a post, or any number of them. */

export interface ClassFigures {
  /** Posts that have the class. */
  readonly positives: number;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  /** Average precision: mean precision at each post that has the class, by falling score. Null where no post has it. */
  readonly averagePrecision: number | null;
}

export interface ClassesMeasured {
  readonly n: number;
  /** One-of: share of right answers. Any-of: share of right answers over all posts and classes (1 − Hamming loss). */
  readonly accuracy: number;
  /** Share of posts with every class right. */
  readonly exactMatch: number;
  /** Mean F1 over the classes. */
  readonly macroF1: number;
  /** Mean recall over the classes that occur. */
  readonly macroRecall: number;
  /** Mean average precision over the classes that occur. */
  readonly meanAveragePrecision: number;
  readonly byClass: Readonly<Record<string, ClassFigures>>;
}

/** Scores beside the truth. Rows are posts. [n, classes] */
export interface ScoredClasses {
  readonly classes: readonly string[];
  readonly scores: readonly (readonly number[])[];
  /** Zeros and ones. */
  readonly targets: readonly (readonly number[])[];
}

const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);
const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;

/** The answers of a one-of task: the class with the highest score, the first of equals. */
export function oneOfAnswers(scores: ScoredClasses['scores']): number[][] {
  return scores.map((row) => {
    const best = row.indexOf(Math.max(...row));
    return row.map((_, k) => (k === best ? 1 : 0));
  });
}

/** The answers of an any-of task: every class at or above its threshold. */
export function anyOfAnswers(scores: ScoredClasses['scores'], thresholds: readonly number[]): number[][] {
  return scores.map((row) => row.map((p, k) => (p >= (thresholds[k] ?? 0.5) ? 1 : 0)));
}

/** @param answers zeros and ones, from `oneOfAnswers` or `anyOfAnswers` */
export function measureClasses(
  { classes, scores, targets }: ScoredClasses,
  answers: readonly (readonly number[])[],
): ClassesMeasured {
  const byClass = classes.map((_, k): ClassFigures => {
    const count = (answer: 0 | 1, truth: 0 | 1): number =>
      targets.filter((target, i) => target[k] === truth && answers[i]?.[k] === answer).length;
    const [tp, fp, fn] = [count(1, 1), count(1, 0), count(0, 1)];
    return {
      positives: tp + fn,
      precision: share(tp, tp + fp),
      recall: share(tp, tp + fn),
      f1: share(2 * tp, 2 * tp + fp + fn),
      averagePrecision: averagePrecision(
        scores.map((row) => row[k] as number),
        targets.map((target) => target[k] === 1),
      ),
    };
  });
  const wrong = targets.map((target, i) => target.filter((value, k) => value !== answers[i]?.[k]).length);
  const exactMatch = share(wrong.filter((count) => count === 0).length, targets.length);
  const single = targets.every((target) => target.reduce((sum, value) => sum + value, 0) === 1);
  const oneOf = single && answers.every((answer) => answer.reduce((sum, value) => sum + value, 0) === 1);
  const cells = targets.length * classes.length;
  return {
    n: targets.length,
    accuracy: oneOf
      ? exactMatch
      : 1 -
        share(
          wrong.reduce((sum, count) => sum + count, 0),
          cells,
        ),
    exactMatch,
    macroF1: mean(byClass.map(({ f1 }) => f1)),
    macroRecall: mean(byClass.filter(({ positives }) => positives > 0).map(({ recall }) => recall)),
    meanAveragePrecision: mean(byClass.flatMap(({ averagePrecision: ap }) => (ap === null ? [] : [ap]))),
    byClass: Object.fromEntries(classes.map((name, k) => [name, byClass[k] as ClassFigures])),
  };
}

/** Posts of one score come together: their precision is that at the end of the tie. */
function averagePrecision(scores: readonly number[], has: readonly boolean[]): number | null {
  const positives = has.filter(Boolean).length;
  if (positives === 0) return null;
  const order = [...scores.keys()].sort((a, b) => (scores[b] as number) - (scores[a] as number));
  let [seen, found, sum] = [0, 0, 0];
  while (seen < order.length) {
    const score = scores[order[seen] as number];
    let here = 0;
    while (seen < order.length && scores[order[seen] as number] === score) {
      if (has[order[seen] as number]) here += 1;
      seen += 1;
    }
    found += here;
    sum += here * (found / seen);
  }
  return sum / positives;
}

/** How often a post of one class (row) got the answer of another (column). One-of tasks. [classes, classes] */
export function confusionMatrix(
  targets: readonly (readonly number[])[],
  answers: readonly (readonly number[])[],
): number[][] {
  const size = targets[0]?.length ?? 0;
  const matrix = Array.from({ length: size }, () => new Array<number>(size).fill(0));
  targets.forEach((target, i) => {
    const row = matrix[target.indexOf(1)];
    const column = answers[i]?.indexOf(1) ?? -1;
    if (row && column >= 0) row[column] = (row[column] as number) + 1;
  });
  return matrix;
}
