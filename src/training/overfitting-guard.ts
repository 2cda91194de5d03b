/**
 * Watches adversarial training on pictures for catastrophic overfitting: one step no longer fools the network while many
 * steps fool it the more (Wong et al. 2020; Kim et al. 2021; robustness.md item 7).
 */
import type { Posts, Victim } from '../adversarial/attack.ts';
import { fgsm } from '../adversarial/fgsm.ts';
import { pgd } from '../adversarial/pgd.ts';
import { probabilities } from '../adversarial/suite.ts';
import { seededRandom } from '../base/random.ts';
import { measure } from './measure.ts';

/** Balanced accuracy on the held batch: as it is, after one step, after ten. */
export interface GuardFigures {
  readonly clean: number;
  readonly fgsm: number;
  readonly pgd: number;
}

/** `gap`: one step is far weaker than ten; `fall`: ten steps fool far more than an epoch ago. */
export type Caught = 'gap' | 'fall';

export interface GuardLimits {
  /** Largest FGSM − PGD. */
  readonly gap: number;
  /** Largest fall of PGD from one epoch to the next. */
  readonly fall: number;
}

/** robustness.md item 7: 15 and 10 points. */
export const GUARD_LIMITS: GuardLimits = { gap: 0.15, fall: 0.1 };

/**
 * Least balanced accuracy of a network that tells the classes apart. No attack moves a constant answer, so that before an
 * epoch reaches this its PGD figure is neither something to fall from nor something to keep.
 */
const TELLS_APART = 0.55;

/**
 * Epochs in which nothing is caught: a network that has learnt neither the classes nor to withstand anything shows gaps and
 * falls as large as those of an overfitted one.
 */
const WARM_UP = 5;

/** PGD-10 in steps of a quarter. */
const STEPS = 10;

/** What training asks after each epoch (TrainingHooks). */
export type Guard = () => GuardFigures;

/** @param held posts that are not trained on */
export function pictureGuard(victim: Victim, held: Posts, epsilon: number, seed: number): Guard {
  const label = Array.from(held.labels, (value) => (value === 1 ? 1 : 0));
  const under = (posts: Posts): number =>
    measure({ probability: probabilities(victim, posts), label }).balancedAccuracy.value;
  const steps = pgd({ epsilon, steps: STEPS, stepSize: epsilon / 4, starts: 1 });
  return () => ({
    clean: under(held),
    fgsm: under(fgsm(epsilon).generate(victim, held, seededRandom(seed)).posts),
    pgd: under(steps.generate(victim, held, seededRandom(seed)).posts),
  });
}

/** Whether the last epoch is one to stop at. @param history figures of all epochs */
export function caughtBy(
  history: readonly GuardFigures[],
  limits: GuardLimits = GUARD_LIMITS,
): Caught | null {
  const [before, last] = [history.at(-2), history.at(-1)];
  if (!last || history.length <= WARM_UP) return null;
  if (last.fgsm - last.pgd > limits.gap) return 'gap';
  return before && before.clean >= TELLS_APART && before.pgd - last.pgd > limits.fall ? 'fall' : null;
}

/** By what epochs are compared: PGD once a network tells the classes apart, until then how well it does. */
export const guardScore = ({ clean, pgd: robust }: GuardFigures): number =>
  clean >= TELLS_APART ? 1 + robust : clean;
