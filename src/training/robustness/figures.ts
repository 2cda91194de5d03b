/** What a report of attacks says, as `tocsin attack` prints it. */
import type { SanityFlag } from '../../adversarial/sanity.ts';
import type { AttackFigures, SuiteName, SuiteResult } from '../../adversarial/suite.ts';
import type { Measured, Metrics } from '../../models/manifest.ts';
import type { EvaluationFacts } from '../evaluate.ts';
import { rounded } from '../measure.ts';
import type { ConstraintFacts } from './word-rules.ts';

type Figure = 'accuracy' | 'balancedAccuracy' | 'macroF1';

export interface Figures extends Readonly<Record<Figure, number>> {
  /** 95 %. */
  readonly intervals: Readonly<Record<Figure, Measured['interval']>>;
}

export interface AttackedFigures extends Figures {
  /** Whether posts stand behind it that somebody could send; if not, it is an upper bound on what such posts can do. */
  readonly withPosts: boolean;
  /** Share of the posts that were right before and are wrong now. */
  readonly success: number;
  /** Share of the known words that were replaced; 0 for attacks that replace none. */
  readonly wordsReplaced: number;
  readonly secondsPer1000: number;
  readonly queriesPerPost: number;
}

/** Whose examples the model is shown. */
export interface CrafterFacts {
  /** `self`: adaptive. `twin`: an undefended model of the same kind (static). `other`: another model (transfer). */
  readonly kind: 'self' | 'twin' | 'other';
  readonly name: string;
  readonly why: string;
}

export interface Robustness extends EvaluationFacts {
  readonly suite: SuiteName;
  readonly crafter: CrafterFacts;
  /** Bound of attacks on pictures. */
  readonly epsilon: number;
  /** What word attacks kept; null where they might do anything. */
  readonly constraints: ConstraintFacts | null;
  readonly seed: number;
  readonly n: number;
  readonly clean: Figures;
  readonly attacked: Readonly<Record<string, AttackedFigures>>;
  /** For each post the worst of all attacks. */
  readonly worst: AttackedFigures;
  /** The same over the attacks that posts stand behind; null where there is none. */
  readonly worstPosts: AttackedFigures | null;
  /** The one-step attacks at several bounds, τ/ε kept. */
  readonly epsSweep: readonly {
    readonly epsilon: number;
    readonly attacked: Readonly<Record<string, AttackedFigures>>;
  }[];
  /** Checks that failed: what stands above is then too good. */
  readonly flags: readonly (SanityFlag & { readonly flag: 'OVERESTIMATED' })[];
  readonly checks: readonly SanityFlag[];
  readonly seconds: number;
}

/** The one-step attacks within a bound. */
export type SweepPoint = Pick<SuiteResult, 'attacked'> & { readonly epsilon: number };

/** The part of a report that a suite's result gives. */
export const reported = (
  { clean, attacked, worst, worstPosts }: SuiteResult,
  checks: readonly SanityFlag[],
  sweep: readonly SweepPoint[],
): Pick<Robustness, 'clean' | 'attacked' | 'worst' | 'worstPosts' | 'epsSweep' | 'flags' | 'checks'> => ({
  clean: figuresOf(clean.metrics),
  attacked: byAttack(attacked),
  epsSweep: sweep.map((at) => ({ epsilon: rounded(at.epsilon), attacked: byAttack(at.attacked) })),
  worst: attackedFigures(worst, worst === worstPosts),
  worstPosts: worstPosts && attackedFigures(worstPosts, true),
  flags: checks.filter(({ passed }) => !passed).map((check) => ({ flag: 'OVERESTIMATED', ...check })),
  checks,
});

const byAttack = (runs: SuiteResult['attacked']): Robustness['attacked'] =>
  Object.fromEntries(
    runs.map((run) => [run.attack.name, attackedFigures(run, run.attack.modality !== 'vectors')]),
  );

function figuresOf({ accuracy, balancedAccuracy, macroF1 }: Metrics): Figures {
  return {
    accuracy: accuracy.value,
    balancedAccuracy: balancedAccuracy.value,
    macroF1: macroF1.value,
    intervals: {
      accuracy: accuracy.interval,
      balancedAccuracy: balancedAccuracy.interval,
      macroF1: macroF1.interval,
    },
  };
}

const attackedFigures = (run: AttackFigures, withPosts: boolean): AttackedFigures => ({
  ...figuresOf(run.metrics),
  withPosts,
  success: rounded(run.success),
  wordsReplaced: rounded(run.wordsReplaced),
  secondsPer1000: rounded(run.secondsPer1000),
  queriesPerPost: rounded(run.queriesPerPost),
});
