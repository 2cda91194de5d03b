/**
 * How a model stands up to attacks (models.md §1.7, robustness.md): clean, static, adaptive, strong, and transferred from
 * another model. Every figure is of the same posts, so that they can be compared one by one.
 */
import type { Clock } from '../base/clock.ts';
import { seededRandom } from '../base/random.ts';
import type { Tf } from '../models/engine/tf.ts';
import type { Metrics } from '../models/manifest.ts';
import { MAX_WORDS } from '../models/words.ts';
import type { Head } from '../models/zoo/contract.ts';
import type { Attack, Audit, Crafted, Posts, Victim } from './attack.ts';
import { characters } from './characters.ts';
import type { Allowed } from './constraints.ts';
import { dilution } from './dilution.ts';
import { featureSpace } from './feature-space.ts';
import { fgsm } from './fgsm.ts';
import { GREEDY_DEFAULTS, greedyWords } from './greedy-words.ts';
import { joint } from './joint.ts';
import { pgd, pgdDefaults } from './pgd.ts';
import { recycledPicture } from './recycled-picture.ts';
import { smallTalk } from './small-talk.ts';
import { square, squareDefaults } from './square.ts';
import { type Normalise, onWords, type Reread, type TextAttack, throughEncoders } from './text-edit.ts';
import { WORD_DEFAULTS, wordReplacement } from './words.ts';

export const SUITES = ['static', 'adaptive', 'strong'] as const;
export type SuiteName = (typeof SUITES)[number];

export interface SuiteOptions {
  /** Bound of attacks on pictures and scale of Eq. 2; 0.1 is MMAT's, 8/255 the field's. */
  readonly epsilon: number;
  /** Neighbours that word attacks consider. */
  readonly candidates: number;
  /** Whether a word may stand for another. */
  readonly allowed?: Allowed;
  readonly squareQueries: number;
  readonly normalise: Normalise;
}

/** What a text can be changed to without a look into the model. */
export const TEXT_ATTACKS: readonly TextAttack[] = [
  characters({ edit: 'swap', edits: 2 }),
  characters({ edit: 'homoglyph', edits: 2 }),
  characters({ edit: 'invisible', edits: 2 }),
  smallTalk('before'),
  smallTalk('around'),
  dilution(),
];
/** Other pictures that a post is tried with. */
const RECYCLED = 5;

/** The attacks of a suite that make sense against what the model reads. */
export function attacksOf(
  tf: Tf,
  suite: SuiteName,
  reads: { readonly text: boolean; readonly image: boolean; readonly vectors?: boolean },
  options: SuiteOptions,
): readonly Attack[] {
  const { epsilon, candidates, allowed, normalise, squareQueries } = options;
  const constrained = { candidates, ...(allowed ? { allowed } : {}) };
  // Under a sign, words depend on τ/ε alone; it is kept.
  const tau = (epsilon * WORD_DEFAULTS.tau) / WORD_DEFAULTS.epsilon;
  const words = wordReplacement(tf, { epsilon, tau, ...constrained });
  const gradientStep = fgsm(epsilon);
  const oneStep = [words, gradientStep, joint('joint', [words, gradientStep]), featureSpace()];
  const greedy = greedyWords({ ...GREEDY_DEFAULTS, ...constrained });
  const projected = pgd(pgdDefaults(epsilon));
  const strong = [
    greedy,
    projected,
    joint('joint-strong', [greedy, projected]),
    square({ ...squareDefaults(epsilon), queries: squareQueries }),
    ...TEXT_ATTACKS.map((attack) => onWords(attack, normalise)),
    recycledPicture(RECYCLED),
  ];
  return [...oneStep, ...(suite === 'strong' ? strong : [])].filter(({ modality }) =>
    modality === 'both' ? reads.text && reads.image : (reads[modality] ?? false),
  );
}

/** An attack whose posts may have to pass frozen encoders. */
export type AnyAttack = Attack | Attack<Promise<Crafted>>;

/** The attacks of the strong suite on what frozen encoders read: other texts, other pictures, so posts that can be sent. */
export const encodedAttacksOf = (
  reads: { readonly texts: boolean; readonly pictures: boolean },
  normalise: Normalise,
  reread: Reread,
): readonly AnyAttack[] => [
  ...(reads.texts ? TEXT_ATTACKS.map((attack) => throughEncoders(attack, normalise, reread)) : []),
  ...(reads.pictures ? [recycledPicture(RECYCLED)] : []),
];

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
  readonly attack: AnyAttack;
  readonly posts: Posts;
  readonly audit: readonly Audit[];
  readonly judged: Judgement;
}

/** What a model's logits come to. */
export interface Judgement {
  readonly metrics: Metrics;
  /** Whether the post is answered rightly; with several classes, whether all its answers are right. [count] */
  readonly right: readonly boolean[];
  /** Probability of the positive class, or of each class in turn. [count, outputs] */
  readonly probability: readonly number[];
}

/** Logits of posts → figures. The posts are those that were shown, so that one without a known word can be told. */
export type Judge = (logits: Float32Array, posts: Posts) => Judgement;

export interface SuiteResult {
  readonly clean: Judgement;
  readonly attacked: readonly AttackRun[];
  /** For each post the worst of all attacks: what is left when the attacker may choose. */
  readonly worst: AttackFigures;
  /** The same over the attacks that a post stands behind; null where there is none. */
  readonly worstPosts: AttackFigures | null;
}

export interface SuiteDeps {
  readonly clock: Clock;
  readonly seed: number;
  readonly judge: Judge;
  readonly report?: (attack: string) => void;
}

/**
 * Runs attacks against a model.
 * @param crafter the model that the posts are crafted on: the victim itself (adaptive), its undefended twin (static), or
 *   another model (transfer)
 */
export async function runSuite(
  victim: Victim,
  crafter: Victim,
  posts: Posts,
  attacks: readonly AnyAttack[],
  deps: SuiteDeps,
): Promise<SuiteResult> {
  const clean = deps.judge(victim.logits(posts), posts);
  const known = posts.words.reduce((sum, id) => sum + (id === 0 ? 0 : 1), 0);
  const shown: Shown[] = [];
  for (const attack of attacks) {
    deps.report?.(attack.name);
    const began = deps.clock.monotonic();
    const { posts: crafted, audit } = await attack.generate(crafter, posts, seededRandom(deps.seed));
    const seconds = (deps.clock.monotonic() - began) / 1_000;
    const logits = victim.logits(crafted);
    const judged = deps.judge(logits, crafted);
    shown.push({
      logits,
      losses: victim.losses(crafted),
      run: {
        attack,
        posts: crafted,
        audit,
        judged,
        metrics: judged.metrics,
        success: fooledShare(clean.right, judged.right),
        wordsReplaced: audit.reduce((sum, { swaps }) => sum + swaps.length, 0) / Math.max(1, known),
        secondsPer1000: (1_000 * seconds) / Math.max(1, posts.count),
        queriesPerPost: audit.reduce((sum, { queries }) => sum + queries, 0) / Math.max(1, posts.count),
      },
    });
  }
  const withPosts = shown.filter(({ run }) => run.attack.modality !== 'vectors');
  const worstOver = (some: readonly Shown[]): AttackFigures =>
    worstOf(victim, posts, clean, some, deps.judge);
  const worst = worstOver(shown);
  const isAll = withPosts.length === shown.length;
  return {
    clean,
    attacked: shown.map(({ run }) => run),
    worst,
    worstPosts: isAll ? worst : withPosts.length > 0 ? worstOver(withPosts) : null,
  };
}

/** What the victim makes of an attack's posts. */
interface Shown {
  readonly run: AttackRun;
  readonly logits: Float32Array;
  readonly losses: Float32Array;
}

/** Of each post the worst that the attacks made of it. */
function worstOf(
  victim: Victim,
  posts: Posts,
  clean: Judgement,
  shown: readonly Shown[],
  judge: Judge,
): AttackFigures {
  const worst = { logits: victim.logits(posts).slice(), words: posts.words.slice() };
  const highest = victim.losses(posts).slice();
  const right = [...clean.right];
  for (const { run, logits, losses } of shown)
    losses.forEach((loss, i) => {
      const isRight = run.judged.right[i] as boolean;
      const isWorse = isRight === right[i] ? loss > (highest[i] as number) : !isRight;
      if (!isWorse) return;
      highest[i] = loss;
      right[i] = isRight;
      copyRow(logits, worst.logits, i, victim.head.outputs);
      copyRow(run.posts.words, worst.words, i, MAX_WORDS);
    });
  const judged = judge(worst.logits, { ...posts, words: worst.words });
  return {
    metrics: judged.metrics,
    success: fooledShare(clean.right, judged.right),
    wordsReplaced: 0,
    secondsPer1000: shown.reduce((sum, { run }) => sum + run.secondsPer1000, 0),
    queriesPerPost: shown.reduce((sum, { run }) => sum + run.queriesPerPost, 0),
  };
}

function copyRow<A extends Float32Array | Int32Array>(from: A, to: A, i: number, size: number): void {
  to.set(from.subarray(i * size, (i + 1) * size), i * size);
}

/** Share of the posts that were right before and are not any more. */
function fooledShare(before: readonly boolean[], after: readonly boolean[]): number {
  const had = before.filter(Boolean).length;
  const lost = before.filter((was, i) => was && !after[i]).length;
  return lost / Math.max(1, had);
}

/**
 * The judge of a head with two classes, at the probability 0.5 of its bare logits.
 * @param measure probabilities and labels → figures with intervals
 */
export function twoClassJudge(
  head: Head,
  measure: (scored: { probability: readonly number[]; label: readonly (0 | 1)[] }) => Metrics,
): Judge {
  return (logits, posts) => {
    const probability = probabilitiesOf(head, logits);
    const label = positives(head, posts);
    return {
      metrics: measure({ probability, label }),
      right: probability.map((p, i) => (p >= 0.5 ? 1 : 0) === label[i]),
      probability,
    };
  };
}

/** Of a head with two classes: one sigmoid output, or the second of two softmax outputs. */
export const probabilities = (victim: Victim, posts: Posts): number[] =>
  probabilitiesOf(victim.head, victim.logits(posts));

function probabilitiesOf({ kind, outputs }: Head, logits: Float32Array): number[] {
  return Array.from({ length: logits.length / outputs }, (_, i) => {
    const z =
      kind === 'sigmoid'
        ? (logits[i] as number)
        : (logits[i * outputs + 1] as number) - (logits[i * outputs] as number);
    return 1 / (1 + Math.exp(-z));
  });
}

/** The labels of a head with two classes. */
export function positives({ kind, outputs }: Head, { labels, count }: Posts): (0 | 1)[] {
  const at = kind === 'sigmoid' ? 0 : 1;
  return Array.from({ length: count }, (_, i) => (labels[i * outputs + at] === 1 ? 1 : 0));
}
