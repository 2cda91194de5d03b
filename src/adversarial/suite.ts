/**
 * How a model stands up to attacks (models.md §1.7, robustness.md): clean, static, adaptive, strong, and transferred from
 * another model. Every figure is of the same posts, so that they can be compared one by one.
 */
import type { Clock } from '../base/clock.ts';
import { seededRandom } from '../base/random.ts';
import type { Tf } from '../models/engine/tf.ts';
import type { Metrics } from '../models/manifest.ts';
import type { Attack, Audit, Posts, Victim } from './attack.ts';
import { characters } from './characters.ts';
import { dilution } from './dilution.ts';
import { fgsm } from './fgsm.ts';
import { GREEDY_DEFAULTS, greedyWords } from './greedy-words.ts';
import { joint } from './joint.ts';
import { pgd, pgdDefaults } from './pgd.ts';
import { prefix } from './prefix.ts';
import { recycledPicture } from './recycled-picture.ts';
import { square, squareDefaults } from './square.ts';
import type { Normalise } from './text-edit.ts';
import { WORD_DEFAULTS, wordReplacement } from './words.ts';

export const SUITES = ['static', 'adaptive', 'strong'] as const;
export type SuiteName = (typeof SUITES)[number];

export interface SuiteOptions {
  /** Bound of attacks on pictures; 0.1 is MMAT's, 8/255 the field's. */
  readonly epsilon: number;
  /** Neighbours that word attacks consider. */
  readonly candidates: number;
  /** Whether a word may stand for another. */
  readonly allowed?: (before: number, after: number) => boolean;
  readonly squareQueries: number;
  readonly normalise: Normalise;
}

/** The attacks of a suite that make sense against what the model reads. */
export function attacksOf(
  tf: Tf,
  suite: SuiteName,
  reads: { readonly text: boolean; readonly image: boolean },
  options: SuiteOptions,
): readonly Attack[] {
  const { epsilon, candidates, allowed, normalise, squareQueries } = options;
  const constrained = { candidates, ...(allowed ? { allowed } : {}) };
  const words = wordReplacement(tf, { ...WORD_DEFAULTS, ...constrained });
  const gradientStep = fgsm(epsilon);
  const oneStep = [words, gradientStep, joint('joint', [words, gradientStep])];
  const greedy = greedyWords({ ...GREEDY_DEFAULTS, ...constrained });
  const projected = pgd(pgdDefaults(epsilon));
  const strong = [
    greedy,
    projected,
    joint('joint-strong', [greedy, projected]),
    square({ ...squareDefaults(epsilon), queries: squareQueries }),
    characters({ edit: 'swap', edits: 2, normalise }),
    characters({ edit: 'homoglyph', edits: 2, normalise }),
    characters({ edit: 'invisible', edits: 2, normalise }),
    prefix(normalise),
    dilution(normalise),
    recycledPicture(5),
  ];
  return [...oneStep, ...(suite === 'strong' ? strong : [])].filter(({ modality }) =>
    modality === 'both' ? reads.text && reads.image : reads[modality],
  );
}

export interface AttackFigures {
  readonly metrics: Metrics;
  /** Share of the posts that were right before and are wrong now. */
  readonly success: number;
  /** Share of the known words that were replaced; 0 for attacks that replace none. */
  readonly wordsReplaced: number;
  readonly secondsPer1000: number;
  readonly queriesPerPost: number;
}

export interface AttackRun extends AttackFigures {
  readonly attack: Attack;
  readonly posts: Posts;
  readonly audit: readonly Audit[];
  /** Probability of the positive class. [count] */
  readonly probability: readonly number[];
}

export interface SuiteResult {
  readonly clean: Metrics;
  readonly cleanProbability: readonly number[];
  readonly attacked: readonly AttackRun[];
  /** For each post the worst of all attacks: what is left when the attacker may choose. */
  readonly worst: AttackFigures;
}

export interface SuiteDeps {
  readonly clock: Clock;
  readonly seed: number;
  /** Posts and probabilities → figures with intervals. */
  readonly judge: (scored: { probability: readonly number[]; label: readonly (0 | 1)[] }) => Metrics;
  readonly report?: (attack: string) => void;
}

/**
 * Runs attacks against a model of two classes.
 * @param crafter the model that the posts are crafted on: the victim itself (adaptive), its undefended twin (static), or
 *   another model (transfer)
 */
export function runSuite(
  victim: Victim,
  crafter: Victim,
  posts: Posts,
  attacks: readonly Attack[],
  deps: SuiteDeps,
): SuiteResult {
  const label = positives(victim, posts);
  const cleanProbability = probabilities(victim, posts);
  const right = cleanProbability.map((p, i) => isRight(p, label[i] as 0 | 1));
  const known = posts.words.reduce((sum, id) => sum + (id === 0 ? 0 : 1), 0);
  const attacked = attacks.map((attack): AttackRun => {
    deps.report?.(attack.name);
    const began = deps.clock.monotonic();
    const { posts: crafted, audit } = attack.generate(crafter, posts, seededRandom(deps.seed));
    const seconds = (deps.clock.monotonic() - began) / 1_000;
    const probability = probabilities(victim, crafted);
    return {
      attack,
      posts: crafted,
      audit,
      probability,
      metrics: deps.judge({ probability, label }),
      success: fooledShare(right, probability, label),
      wordsReplaced: audit.reduce((sum, { swaps }) => sum + swaps.length, 0) / Math.max(1, known),
      secondsPer1000: (1_000 * seconds) / Math.max(1, posts.count),
      queriesPerPost: audit.reduce((sum, { queries }) => sum + queries, 0) / Math.max(1, posts.count),
    };
  });
  const worst = cleanProbability.map((clean, i) => {
    const all = [clean, ...attacked.map(({ probability }) => probability[i] as number)];
    return label[i] === 1 ? Math.min(...all) : Math.max(...all);
  });
  return {
    clean: deps.judge({ probability: cleanProbability, label }),
    cleanProbability,
    attacked,
    worst: {
      metrics: deps.judge({ probability: worst, label }),
      success: fooledShare(right, worst, label),
      wordsReplaced: 0,
      secondsPer1000: attacked.reduce((sum, { secondsPer1000 }) => sum + secondsPer1000, 0),
      queriesPerPost: attacked.reduce((sum, { queriesPerPost }) => sum + queriesPerPost, 0),
    },
  };
}

const isRight = (probability: number, label: 0 | 1): boolean => (probability >= 0.5 ? 1 : 0) === label;

function fooledShare(
  right: readonly boolean[],
  probability: readonly number[],
  label: readonly (0 | 1)[],
): number {
  let had = 0;
  let lost = 0;
  right.forEach((was, i) => {
    if (!was) return;
    had += 1;
    if (!isRight(probability[i] as number, label[i] as 0 | 1)) lost += 1;
  });
  return lost / Math.max(1, had);
}

/** Of a head with two classes: one sigmoid output, or the second of two softmax outputs. */
export function probabilities(victim: Victim, posts: Posts): number[] {
  const logits = victim.logits(posts);
  const { kind, outputs } = victim.head;
  return Array.from({ length: posts.count }, (_, i) => {
    const z =
      kind === 'sigmoid'
        ? (logits[i] as number)
        : (logits[i * outputs + 1] as number) - (logits[i * outputs] as number);
    return 1 / (1 + Math.exp(-z));
  });
}

function positives({ head }: Victim, { labels, count }: Posts): (0 | 1)[] {
  const at = head.kind === 'sigmoid' ? 0 : 1;
  return Array.from({ length: count }, (_, i) => (labels[i * head.outputs + at] === 1 ? 1 : 0));
}
