/**
 * One event, one split, one seed: the Text-CNN undefended and under each defence, attacked statically (crafted on the
 * undefended twin, as Table I's defended rows almost surely were), adaptively (crafted on itself) and greedily.
 */

import type { Posts, Victim } from '../../adversarial/attack.ts';
import { GREEDY_DEFAULTS, greedyWords } from '../../adversarial/greedy-words.ts';
import { probabilities } from '../../adversarial/suite.ts';
import { createVictim } from '../../adversarial/victim.ts';
import { buildWordSpace, type WordSpace } from '../../adversarial/word-space.ts';
import { seededRandom } from '../../base/random.ts';
import type { Tf } from '../../models/engine/tf.ts';
import type { Vocabulary } from '../../models/port.ts';
import { MAX_WORDS, WORD_DIMENSIONS } from '../../models/words.ts';
import type { Head, Network } from '../../models/zoo/contract.ts';
import { textCnn } from '../../models/zoo/text-cnn.ts';
import type { Example } from '../dataset.ts';
import {
  attackedWords,
  DEFENCES,
  type Defence,
  hull,
  onTheFly,
  staticTable,
  wordPosts,
  wordTable,
} from '../defences.ts';
import type { Labelled } from '../table.ts';
import { type TrainingHooks, type TrainingOptions, train } from '../train.ts';

const HEAD: Head = { kind: 'sigmoid', outputs: 1 };
/** Neighbours per word that the space holds; attacks use ten (WORD_DEFAULTS). */
const NEIGHBOURS = 10;
const DIMS = { tokens: 0, text: 0, imageLogits: 0, imageFeatures: 0, events: 0 };

export interface RobustDeps {
  readonly tf: Tf;
  readonly vocabulary: Vocabulary;
  /** Word vectors. [rows, 100] */
  readonly wordVectors: Float32Array;
}

/** Probabilities of yes on the test posts: as they are, and as each attack leaves them. */
interface RobustResult {
  readonly defence: Defence;
  readonly epochs: number;
  readonly clean: readonly number[];
  readonly attacked: Readonly<Record<'static' | 'adaptive' | 'greedy', readonly number[]>>;
}

/** The word space of a set of texts: every known word in them has its neighbours. */
export function spaceOf(deps: RobustDeps, examples: readonly Example[]): WordSpace {
  const wanted = new Set(examples.flatMap(({ text }) => [...deps.vocabulary.encode(text)]));
  // A word that came in by a replacement may be replaced again by the greedy attack, so its neighbours are needed as well.
  const first = buildWordSpace(deps.tf, deps.wordVectors, WORD_DIMENSIONS, NEIGHBOURS, wanted);
  const second = new Set([...wanted].flatMap((id) => neighboursOf(first, id)));
  return buildWordSpace(deps.tf, deps.wordVectors, WORD_DIMENSIONS, NEIGHBOURS, [...wanted, ...second]);
}

const neighboursOf = ({ neighbours, n }: WordSpace, id: number): number[] =>
  Array.from(neighbours.subarray(id * n, (id + 1) * n));

/** A post with its answer. */
export interface Row {
  readonly text: string;
  readonly label: 0 | 1;
}

/** All defences on one split, in the order of DEFENCES. */
export async function robustRuns(
  deps: RobustDeps,
  space: WordSpace,
  parts: Readonly<
    Record<'train' | 'dev' | 'test', readonly { readonly text: string; readonly label: 0 | 1 }[]>
  >,
  options: TrainingOptions,
): Promise<RobustResult[]> {
  const { tf, vocabulary } = deps;
  const postsOf = (rows: readonly Row[]): Posts => {
    const words = new Int32Array(rows.length * MAX_WORDS);
    rows.forEach(({ text }, i) => {
      words.set(vocabulary.encode(text), i * MAX_WORDS);
    });
    return wordPosts(
      words,
      Float32Array.from(rows, ({ label }) => label),
    );
  };
  const [trainPosts, devPosts, testPosts] = [postsOf(parts.train), postsOf(parts.dev), postsOf(parts.test)];
  const tableFor = ({ words, labels }: Posts): Labelled => wordTable(space.vectors, words, labels);
  const open = (seed: number): { network: Network; victim: Victim } => {
    const network = textCnn.build(tf, textCnn.defaults, DIMS, HEAD, seed);
    const victim = createVictim(tf, {
      network,
      head: HEAD,
      columns: ['words'],
      space,
      encode: vocabulary.encode,
    });
    return { network, victim };
  };
  const twin = open(options.seed);
  const results: RobustResult[] = [];
  try {
    for (const defence of DEFENCES) {
      // Algorithm 1 retrains from scratch with other first weights; the undefended model is the twin itself.
      const model = defence === 'none' ? twin : open(options.seed + 1_000);
      const { network, victim } = model;
      const craftDeps = { tf, network, head: HEAD, victim };
      const hooks: TrainingHooks = {
        checkpoints: null,
        report: () => {},
        ...(defence === 'on-the-fly' ? { craft: onTheFly(craftDeps, trainPosts) } : {}),
        ...(defence === 'hull' ? { craft: hull(craftDeps, trainPosts) } : {}),
        // The paper stops on clean dev posts; the other defences on both kinds (models.md §1.6).
        ...(defence === 'on-the-fly' || defence === 'hull'
          ? { craftDev: () => tableFor(attackedWords(tf, victim, devPosts)) }
          : {}),
      };
      const data = {
        train: defence === 'static' ? staticTable(tf, twin.victim, trainPosts) : tableFor(trainPosts),
        dev: tableFor(devPosts),
      };
      const { epochs } = await train(tf, network, HEAD, data, options, hooks);
      const greedy = greedyWords(GREEDY_DEFAULTS).generate(victim, testPosts, seededRandom(options.seed));
      results.push({
        defence,
        epochs,
        clean: probabilities(victim, testPosts),
        attacked: {
          static: probabilities(victim, attackedWords(tf, twin.victim, testPosts)),
          adaptive: probabilities(victim, attackedWords(tf, victim, testPosts)),
          greedy: probabilities(victim, greedy.posts),
        },
      });
      if (model !== twin) network.dispose();
    }
  } finally {
    twin.network.dispose();
  }
  return results;
}
