/** The gate's limits (robustness.md §9; docs/decisions/0024-what-the-gate-asks.md), in one place. */
import { CLEAN_BOUND } from '../training/clean-bound.ts';
import type { Purpose } from './verdict.ts';

export interface JudgeOptions {
  readonly purpose: Purpose;
  /** Level of each one-sided bound. */
  readonly confidence: number;
  /** Fewest posts that may judge. */
  readonly leastPosts: number;
  /** Macro-F1 that the lower bound of the difference may lack. */
  readonly cleanLoss: number;
  /** Least balanced accuracy, mean over classes; always the same answer has 0.5. */
  readonly leastBalanced: number;
  /** What a class, an event, a language or an attack may lose before it counts as a loss. */
  readonly sliceLoss: number;
  /** Posts from which an event or a language is a slice of its own; smaller ones are judged together. */
  readonly sliceLeast: number;
  /** Posts with the class from which its recall is judged. */
  readonly classLeast: number;
  /** What a candidate for robustness must gain on attacks that training never sees. */
  readonly robustGain: number;
  /** Posts that are attacked. */
  readonly attackedPosts: number;
  /** Posts that are attacked where every text that is tried has to pass a frozen encoder, some sixty a post. */
  readonly attackedTexts: number;
  /** Largest change of a pixel, pixels being in [0, 1]. */
  readonly epsilon: number;
  readonly squareQueries: number;
  /** Largest calibration error, unless the champion's is larger. */
  readonly calibrationError: number;
  /** Largest p95 latency over the champion's. */
  readonly latencyRatio: number;
  /** Largest folder. */
  readonly maxBytes: number;
  /** Largest share of one author, one source or one hour among the samples. */
  readonly provenanceShare: number;
  /** Share of the must-pass texts that must be right at the middle, sure or not. */
  readonly mustPassRight: number;
  /** Words, from the most frequent, that are tried as triggers. */
  readonly triggerWords: number;
  /** A word is a trigger when it turns this share of the posts … */
  readonly triggerSuccess: number;
  /** … and so much more than with the other model. */
  readonly triggerGain: number;
  /**
   * A retraining from the champion's own weights moves no honest word far: whatever it turns in all, this much more than with the champion is
   * enough there, by what the round is for. Hardening teaches no new words; a new kind of disaster does.
   */
  readonly triggerGainOfRound: Readonly<Record<Purpose, number>>;
  /** The same of several such rounds, against the champion of five promotions ago. */
  readonly triggerGainOfRounds: number;
}

export const JUDGE_DEFAULTS: JudgeOptions = {
  purpose: 'robustness',
  confidence: CLEAN_BOUND.confidence,
  leastPosts: 300,
  cleanLoss: CLEAN_BOUND.macroF1,
  leastBalanced: 0.6,
  sliceLoss: CLEAN_BOUND.slice,
  sliceLeast: 100,
  classLeast: 20,
  robustGain: 0.02,
  attackedPosts: 600,
  attackedTexts: 100,
  epsilon: 8 / 255,
  squareQueries: 200,
  calibrationError: 0.05,
  latencyRatio: 1.1,
  maxBytes: 64 * 1024 * 1024,
  provenanceShare: 0.01,
  mustPassRight: 0.9,
  triggerWords: Number.POSITIVE_INFINITY,
  triggerSuccess: 0.85,
  triggerGain: 0.5,
  triggerGainOfRound: { robustness: 0.15, drift: 0.25 },
  triggerGainOfRounds: 0.3,
};
