/** A defence against word attacks as a mode of the trainer: what stands in place of plain training posts. */
import type { Posts, Victim } from '../adversarial/attack.ts';
import { createVictim } from '../adversarial/victim.ts';
import { buildWordSpace, type WordSpace } from '../adversarial/word-space.ts';
import { WORD_DEFAULTS } from '../adversarial/words.ts';
import { TocsinError } from '../base/errors.ts';
import type { Tf } from '../models/engine/tf.ts';
import { MAX_WORDS, WORD_DIMENSIONS } from '../models/words.ts';
import type { Column, Head, Network } from '../models/zoo/contract.ts';
import {
  attackedPosts,
  type Defence,
  hull,
  onTheFly,
  staticPosts,
  swapAndHull,
  wordTable,
} from './defences.ts';
import type { Encoders } from './encoders.ts';
import type { Labelled } from './table.ts';
import { SILENT, type TrainingHooks, type TrainingOptions, train } from './train.ts';

/** Those of DEFENCES that need words alone. */
export type WordDefence = Extract<Defence, 'none' | 'static' | 'on-the-fly' | 'hull' | 'swap-and-hull'>;
export const WORD_DEFENCES: readonly WordDefence[] = [
  'none',
  'static',
  'on-the-fly',
  'hull',
  'swap-and-hull',
];

/** The one trainer's options with the way in which training posts are hardened; `none` where left out. */
export interface DefendedOptions extends TrainingOptions {
  readonly defence?: WordDefence;
  /** Adds an undefended network with this share of the answer (pair.ts); none where left out. */
  readonly plainShare?: number;
  /** How far it goes from an undefended network to the defended one (part-way.ts); all the way where left out. */
  readonly defendedShare?: number;
  /** Teachers' part in what is taught of a labelled post (teachers.ts); labels alone where left out. */
  readonly teachersPart?: number;
}

/** A post as defences see it: its text and its answer. */
export interface Answered {
  readonly text: string;
  /** Zeros and ones, [outputs]. */
  readonly target: readonly number[];
}

type Words = Pick<Encoders, 'vocabulary' | 'wordVectors'>;

/** The neighbours of every word of these texts. */
export function spaceFor(tf: Tf, { vocabulary, wordVectors }: Words, texts: readonly string[]): WordSpace {
  const wanted = new Set(texts.flatMap((text) => [...vocabulary.encode(text)]));
  return buildWordSpace(tf, wordVectors, WORD_DIMENSIONS, WORD_DEFAULTS.candidates, wanted);
}

/** Posts as word attacks take them. */
export function textPosts({ vocabulary }: Words, answered: readonly Answered[]): Posts {
  const words = new Int32Array(answered.length * MAX_WORDS);
  answered.forEach(({ text }, i) => {
    words.set(vocabulary.encode(text), i * MAX_WORDS);
  });
  return {
    count: answered.length,
    texts: answered.map(({ text }) => text),
    words,
    pixels: null,
    labels: Float32Array.from(answered.flatMap(({ target }) => target)),
  };
}

/** Posts as Eq. 2 leaves them; pictures have no part in it. */
export const attackedWords = (tf: Tf, victim: Victim, posts: Posts): Posts =>
  attackedPosts(tf, victim, posts, 0);

/** Whether word attacks reach all that a network is shown. */
export const readsWordsAlone = (columns: readonly Column[]): boolean =>
  columns.includes('words') && columns.every((column) => column === 'words' || column === 'present');

export interface Hardening {
  readonly tf: Tf;
  readonly encoders: Words;
  readonly head: Head;
  /** A network with other first weights. */
  readonly build: (seed: number) => Network;
  /** The posts and their table. */
  readonly train: Labelled & { readonly answered: readonly Answered[] };
  readonly dev: Labelled & { readonly answered: readonly Answered[] };
}

/** What the seed of the twin's first weights differs by. */
export const TWIN_SEED = 1_000;

/**
 * What the trainer is given in place of plain posts. Early stopping looks at clean dev posts under the paper's defence,
 * at both kinds under the others (models.md §1.6). Throws BAD_USAGE for a network that reads more than words.
 */
export async function harden(
  { tf, encoders, head, build, train: plain, dev }: Hardening,
  network: Network,
  options: DefendedOptions,
): Promise<{ readonly train: Labelled; readonly hooks: Pick<TrainingHooks, 'craft' | 'craftDev'> }> {
  const { defence = 'none' } = options;
  if (defence === 'none') return { train: plain, hooks: {} };
  if (!readsWordsAlone(plain.table.columns))
    throw new TocsinError(
      'BAD_USAGE',
      `--defence ${defence} hardens words: it takes a network that reads nothing else, or posts without pictures.`,
    );
  const texts = [...plain.answered, ...dev.answered].map(({ text }) => text);
  const space = spaceFor(tf, encoders, texts);
  const { encode } = encoders.vocabulary;
  const victimOf = (attacked: Network): Victim =>
    createVictim(tf, { network: attacked, head, columns: ['words'], space, encode });
  const tableFor = ({ words, labels }: Posts): Labelled => wordTable(space.vectors, words, labels);
  const posts = textPosts(encoders, plain.answered);
  if (defence === 'static') {
    const twin = build(options.seed + TWIN_SEED);
    try {
      await train(tf, twin, head, { train: plain, dev }, options, SILENT);
      return { train: tableFor(staticPosts(tf, victimOf(twin), posts, 0)), hooks: {} };
    } finally {
      twin.dispose();
    }
  }
  const victim = victimOf(network);
  const deps = { tf, network, head, columns: ['words'], victim } as const;
  const devPosts = textPosts(encoders, dev.answered);
  const crafts = {
    'on-the-fly': () => onTheFly(deps, posts, 0),
    hull: () => hull(deps, posts),
    'swap-and-hull': () => swapAndHull(deps, posts),
  };
  const craft = crafts[defence]();
  const craftDev = (): Labelled => tableFor(attackedWords(tf, victim, devPosts));
  return { train: plain, hooks: { craft, craftDev } };
}
