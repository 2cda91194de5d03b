/**
 * Checks that a report of robustness has to pass (robustness.md §6, after Carlini et al. 2019): a failed one means that
 * the attack was weak, not that the model is strong, and the report says OVERESTIMATED.
 */
import { seededRandom } from '../base/random.ts';
import type { Tf } from '../models/engine/tf.ts';
import { anyWords } from './any-words.ts';
import type { Attack, Posts, Victim } from './attack.ts';
import { FEATURE_SPACE_DEFAULTS, featureSpace } from './feature-space.ts';
import { fgsm } from './fgsm.ts';
import { greedyWords } from './greedy-words.ts';
import { pgd, pgdDefaults } from './pgd.ts';
import { plantedShare } from './planted.ts';
import { slicePosts } from './posts.ts';
import { square, squareDefaults } from './square.ts';
import type { Judge } from './suite.ts';
import { wordReplacement } from './words.ts';

export interface SanityFlag {
  readonly check: string;
  readonly passed: boolean;
  /** The figures behind it. */
  readonly detail: string;
}

export interface SanityOptions {
  readonly epsilon: number;
  readonly candidates: number;
  readonly squareQueries: number;
  readonly seed: number;
  /** What counts as right, as in the suite. */
  readonly judge: Judge;
  /** Another model, whose examples are transferred; null where there is none. */
  readonly surrogate: Victim | null;
}

/** An attack with no bound worth the name must win. */
const UNBOUNDED = 128 / 255;
const ALMOST_NOTHING = 0.01;
/** One point of accuracy: what a better attack may still gain. */
const POINT = 0.01;
/** On few posts a point is less than a post: chance alone moves so many. */
const CHANCE_POSTS = 2;
/** What ours must find of the examples that are known to be there (Zimmermann et al. 2022). */
const PLANTED = 0.95;
/** Bounds of a sweep on pictures; the last is MMAT's. */
export const SWEEP: readonly number[] = [2 / 255, 4 / 255, 8 / 255, 16 / 255, 0.1];
/** The unbounded word attack looks at so many posts, and takes so many gradients. */
const UNBOUNDED_POSTS = 50;
const UNBOUNDED_ROUNDS = 12;
/** Radii in feature space, as shares of the vectors' length. */
const RADII: readonly number[] = [0.05, 0.1, 0.2];
const UNBOUNDED_RADIUS = 10;
const ROUNDING = 1e-9;

/** All checks that make sense against what the model reads, on a batch of posts. */
export function checkSanity(tf: Tf, victim: Victim, posts: Posts, options: SanityOptions): SanityFlag[] {
  const { epsilon, seed, judge } = options;
  const accuracy = (shown: Posts): number => {
    const { right } = judge(victim.logits(shown), shown);
    return right.filter(Boolean).length / Math.max(1, right.length);
  };
  const accuracyUnder = (attack: Attack, crafter: Victim = victim): number =>
    accuracy(attack.generate(crafter, posts, seededRandom(seed)).posts);
  const flag = (check: string, passed: boolean, detail: string): SanityFlag => ({ check, passed, detail });
  const gradientFlag = (check: string, without: number): SanityFlag =>
    flag(check, without === 0, `posts without any gradient: ${without} of ${posts.count}`);
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

  const slack = Math.max(POINT, CHANCE_POSTS / Math.max(1, posts.count));
  const clean = accuracy(posts);
  const gradient = victim.gradient(posts);
  const planted = plantedShare(tf, seed);
  const [first, second] = [victim.logits(posts), victim.logits(posts)];
  const flags = [
    flag(
      'logits_repeat',
      first.every((z, i) => z === second[i]),
      'the same posts twice',
    ),
    flag('planted_examples', planted >= PLANTED, percent(planted)),
  ];

  if (gradient.words) {
    const one = accuracyUnder(wordReplacement(tf));
    const many = accuracyUnder(greedyWords({ candidates: options.candidates, share: 1 }));
    const greedy = { candidates: options.candidates, share: 0.3 };
    const enough = accuracyUnder(greedyWords(greedy));
    const longer = accuracyUnder(greedyWords({ ...greedy, tries: 4 }));
    const some = slicePosts(posts, 0, Math.min(posts.count, UNBOUNDED_POSTS));
    const unbounded = accuracy(
      anyWords(tf, UNBOUNDED_ROUNDS).generate(victim, some, seededRandom(seed)).posts,
    );
    const budgets = [0.1, 0.2, 0.3, 0.5].map((share) =>
      accuracyUnder(greedyWords({ candidates: options.candidates, share })),
    );
    flags.push(
      gradientFlag('words_gradient', rowsWithoutGradient(gradient.words, posts, true)),
      flag(
        'words_unbounded_win',
        unbounded <= ALMOST_NOTHING,
        `accuracy where any word may stand anywhere: ${percent(unbounded)} of ${some.count} posts`,
      ),
      flag(
        'words_tries_suffice',
        enough - longer <= slack,
        `${percent(enough)}, with twice the tries ${percent(longer)}`,
      ),
      flag(
        'words_monotone',
        falls(budgets, slack),
        `accuracy at 10, 20, 30, 50 % of the words: ${budgets.map(percent).join(', ')}`,
      ),
      flag(
        'words_fresh_gradients_win',
        many <= one + slack,
        `greedy without a budget ${percent(many)}, one shot ${percent(one)}`,
      ),
    );
    if (options.surrogate?.gradient(posts).words) {
      const moved = accuracyUnder(wordReplacement(tf), options.surrogate);
      flags.push(
        flag(
          'words_white_box_wins',
          one <= moved + slack,
          `white box ${percent(one)}, transfer ${percent(moved)}`,
        ),
      );
    }
  }
  if (gradient.vectors) {
    const within = RADII.map((radius) => accuracyUnder(featureSpace({ ...FEATURE_SPACE_DEFAULTS, radius })));
    const far = accuracyUnder(featureSpace({ steps: 40, radius: UNBOUNDED_RADIUS }));
    flags.push(
      flag(
        'vectors_monotone',
        falls([clean, ...within], slack),
        `accuracy within 0, 5, 10, 20 % of the vectors' length: ${[clean, ...within].map(percent).join(', ')}`,
      ),
      flag(
        'vectors_unbounded_win',
        far <= ALMOST_NOTHING,
        `accuracy within ten times their length: ${percent(far)}`,
      ),
    );
  }
  if (gradient.pixels) {
    const one = accuracyUnder(fgsm(epsilon));
    const settings = pgdDefaults(epsilon);
    const many = accuracyUnder(pgd(settings));
    const more = accuracyUnder(pgd({ ...settings, steps: 2 * settings.steps }));
    const wider = accuracyUnder(pgd({ ...settings, starts: 2 * settings.starts }));
    const unbounded = accuracyUnder(pgd(pgdDefaults(UNBOUNDED)));
    const blind = accuracyUnder(square({ ...squareDefaults(epsilon), queries: options.squareQueries }));
    const sweep = SWEEP.map((bound) => accuracyUnder(pgd({ ...pgdDefaults(bound), starts: 1 })));
    flags.push(
      gradientFlag('pixels_gradient', rowsWithoutGradient(gradient.pixels, posts, false)),
      flag('unbounded_wins', unbounded <= ALMOST_NOTHING, `accuracy at ε = 128/255: ${percent(unbounded)}`),
      flag(
        'epsilon_monotone',
        falls([clean, ...sweep], slack),
        `accuracy at ε = 0, 2, 4, 8, 16 / 255, 0.1: ${[clean, ...sweep].map(percent).join(', ')}`,
      ),
      flag(
        'restarts_suffice',
        many - wider <= slack,
        `${percent(many)}, with twice the restarts ${percent(wider)}`,
      ),
      flag('steps_suffice', many - more <= slack, `${percent(many)}, with twice the steps ${percent(more)}`),
      flag('iterative_wins', many <= one + ROUNDING, `PGD ${percent(many)}, FGSM ${percent(one)}`),
      flag('white_box_wins', many <= blind + ROUNDING, `PGD ${percent(many)}, Square ${percent(blind)}`),
    );
    if (options.surrogate?.gradient(posts).pixels) {
      const moved = accuracyUnder(pgd(settings), options.surrogate);
      flags.push(
        flag(
          'transfer_loses',
          many <= moved + ROUNDING,
          `white box ${percent(many)}, transfer ${percent(moved)}`,
        ),
      );
    }
  }
  return flags;
}

const falls = (values: readonly number[], slack: number): boolean =>
  values.every((value, i) => i === 0 || value <= (values[i - 1] as number) + slack);

/** Posts that show the modality and have a gradient of zero: no attack by gradients moves them. */
function rowsWithoutGradient(gradient: Float32Array, posts: Posts, words: boolean): number {
  const size = gradient.length / posts.count;
  const shown = posts.words.length / posts.count;
  let without = 0;
  for (let i = 0; i < posts.count; i += 1) {
    if (words && posts.words.subarray(i * shown, (i + 1) * shown).every((id) => id === 0)) continue;
    if (!words && posts.others?.present?.[2 * i + 1] === 0) continue;
    if (gradient.subarray(i * size, (i + 1) * size).every((g) => g === 0)) without += 1;
  }
  return without;
}
