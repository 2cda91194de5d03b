/** Posts before and after an attack, as a person can look at them. */
import type { Audit, Posts } from '../../adversarial/attack.ts';
import type { AttackRun, Judgement } from '../../adversarial/suite.ts';
import { PICTURE_SIDE } from '../../models/zoo/branches.ts';

/** A stretch of a text: as it was, taken out, or put in. */
export interface Piece {
  readonly kind: 'same' | 'gone' | 'new';
  readonly text: string;
}

export interface Shown {
  readonly truth: readonly string[];
  /** What the model said, of each class. */
  readonly answers: readonly { readonly name: string; readonly before: number; readonly after: number }[];
  readonly fooled: boolean;
  readonly pieces: readonly Piece[];
  /** RGB bytes, [64, 64, 3] each; null where no picture was changed. */
  readonly picture: {
    readonly before: Uint8Array;
    readonly after: Uint8Array;
    /** After minus before around grey, times `factor`. */
    readonly difference: Uint8Array;
    readonly factor: number;
    readonly linf: number;
    readonly l2: number;
  } | null;
  readonly queries: number;
}

export interface ShownAttack {
  readonly name: string;
  readonly source: string;
  readonly examples: readonly Shown[];
}

export interface Naming {
  /** Of the classes in the judgement; one for a yes-or-no task. */
  readonly classes: readonly string[];
  /** The word of a row of the word table. */
  readonly word: (row: number) => string;
  /** The words that the model reads of a text. */
  readonly read: (text: string) => readonly string[];
}

/** Examples of each attack: those that were fooled first, in the order of the posts. */
export function examplesOf(
  posts: Posts,
  clean: Judgement,
  runs: readonly AttackRun[],
  naming: Naming,
  perAttack: number,
): ShownAttack[] {
  return runs.map(({ attack, audit, judged, posts: crafted }) => {
    const changed = audit.flatMap((one, i) => (isChanged(one, posts.texts[i] as string) ? [i] : []));
    const fooled = (i: number): boolean => Boolean(clean.right[i]) && !judged.right[i];
    const order = [...changed.filter(fooled), ...changed.filter((i) => !fooled(i))].slice(0, perAttack);
    return {
      name: attack.name,
      source: attack.source,
      examples: order.map((i): Shown => {
        const one = audit[i] as Audit;
        const size = clean.probability.length / posts.count;
        const outputs = posts.labels.length / posts.count;
        const truth = posts.labels.subarray(i * outputs, (i + 1) * outputs);
        return {
          truth:
            size === 1
              ? [`${naming.classes[0]}: ${truth.at(-1) === 1 ? 'yes' : 'no'}`]
              : namesOf(naming, truth),
          answers: naming.classes.map((name, k) => ({
            name,
            before: clean.probability[i * size + k] as number,
            after: judged.probability[i * size + k] as number,
          })),
          fooled: fooled(i),
          pieces: piecesOf(posts, i, one, naming),
          picture: one.picture && pictureOf(posts, crafted, i, one.picture),
          queries: one.queries,
        };
      }),
    };
  });
}

const isChanged = ({ swaps, text, picture }: Audit, before: string): boolean =>
  swaps.length > 0 || (text !== null && text !== before) || (picture !== null && picture.linf > 0);

const namesOf = ({ classes }: Naming, truth: Float32Array): string[] => {
  const names = classes.filter((_, k) => truth[k] === 1);
  return names.length > 0 ? names : ['none of the classes'];
};

/** Word replacements are shown on the words that the model reads, other edits on the text. */
function piecesOf(posts: Posts, i: number, { swaps, text }: Audit, { word, read }: Naming): Piece[] {
  const before = posts.texts[i] as string;
  if (text !== null) return wordDifference(before.split(' '), text.split(' '));
  if (swaps.length === 0) return [{ kind: 'same', text: before }];
  const after = new Map(swaps.map((swap) => [swap.position, word(swap.after)]));
  return read(before).flatMap((token, at): Piece[] => {
    const other = after.get(at);
    if (other === undefined) return [{ kind: 'same', text: token }];
    return [
      { kind: 'gone', text: token },
      { kind: 'new', text: other },
    ];
  });
}

/** The longest common subsequence of two lists of words decides what stays. */
function wordDifference(before: readonly string[], after: readonly string[]): Piece[] {
  const [rows, columns] = [before.length + 1, after.length + 1];
  const common = new Uint16Array(rows * columns);
  for (let a = before.length - 1; a >= 0; a -= 1)
    for (let b = after.length - 1; b >= 0; b -= 1)
      common[a * columns + b] =
        before[a] === after[b]
          ? 1 + (common[(a + 1) * columns + b + 1] as number)
          : Math.max(common[(a + 1) * columns + b] as number, common[a * columns + b + 1] as number);
  const pieces: Piece[] = [];
  let [a, b] = [0, 0];
  while (a < before.length || b < after.length) {
    const down = common[(a + 1) * columns + b] ?? -1;
    const right = common[a * columns + b + 1] ?? -1;
    if (a < before.length && b < after.length && before[a] === after[b]) {
      pieces.push({ kind: 'same', text: before[a] as string });
      a += 1;
      b += 1;
    } else if (a < before.length && (b >= after.length || down >= right)) {
      pieces.push({ kind: 'gone', text: before[a] as string });
      a += 1;
    } else {
      pieces.push({ kind: 'new', text: after[b] as string });
      b += 1;
    }
  }
  return pieces;
}

function pictureOf(
  before: Posts,
  after: Posts,
  i: number,
  { linf, l2 }: NonNullable<Audit['picture']>,
): Shown['picture'] {
  const size = PICTURE_SIDE * PICTURE_SIDE * 3;
  const cut = ({ pixels }: Posts): Float32Array =>
    (pixels as Float32Array).subarray(i * size, (i + 1) * size);
  const [from, to] = [cut(before), cut(after)];
  // The largest change fills the range from grey to black or white.
  const factor = linf > 0 ? 0.5 / linf : 1;
  const bytes = (value: (k: number) => number): Uint8Array =>
    Uint8Array.from({ length: size }, (_, k) => Math.round(255 * Math.min(1, Math.max(0, value(k)))));
  return {
    before: bytes((k) => from[k] as number),
    after: bytes((k) => to[k] as number),
    difference: bytes((k) => 0.5 + factor * ((to[k] as number) - (from[k] as number))),
    factor,
    linf,
    l2,
  };
}
