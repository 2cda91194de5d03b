/**
 * How much of what a round has learnt its candidate keeps, and whether the gate is asked at all (WiSE-FT, Wortsman et al. 2022):
 * between the champion's weights and the trained ones, the most robust point that surely costs little on posts as they are.
 * Measured on dev, by answers as they are served; the vault is not the sidecar's to see.
 */
import { CLEAN_BOUND } from '../training/clean-bound.ts';
import {
  type Answers,
  answersOf,
  type Estimate,
  estimate,
  type Figure,
  lower,
  macroBalanced,
  macroF1,
  recall,
} from '../training/statistics.ts';

/**
 * The gate asks for 2 points under attacks that training never sees; about half of what a round wins under the one that it saw carries
 * over to them (docs/robustness.md).
 */
const LEAST_GAIN = 0.05;
const CLASSES = [0, 1];
const SEED = 1;

/** Whether each post is answered with yes. */
export type Yes = readonly boolean[];

/** One model on dev. */
export interface Shown {
  /** Posts as they are. */
  readonly clean: Yes;
  /** The same as Eq. 2 on the model itself leaves them. */
  readonly attacked: Yes;
}

/** What a share of the trained weights changes against the champion. */
export interface Weighed {
  readonly share: number;
  /** Macro-F1 on posts as they are: the change, and what it surely is at least. */
  readonly clean: number;
  readonly surely: number;
  /** Least change of a class's recall. */
  readonly recall: number;
  /** Balanced accuracy under attack; null where it was not asked for, because clean posts lose too much. */
  readonly attacked: { readonly gain: number; readonly surely: number } | null;
}

export interface Weighing {
  /** Of the trained weights in the candidate; 0 where none fits. */
  readonly share: number;
  /** Whether it is worth the gate's time; if not, why. */
  readonly refused: string | null;
  readonly steps: readonly Weighed[];
}

/** @param labels the truth, zeros and ones */
export function createScale(labels: ArrayLike<number>, champion: Shown) {
  const targets = Array.from(labels, (label) => (label === 1 ? [0, 1] : [1, 0]));
  const answers = (yes: Yes): Answers =>
    answersOf(
      targets,
      yes.map((is) => (is ? [0, 1] : [1, 0])),
    );
  const its = { clean: answers(champion.clean), attacked: answers(champion.attacked) };
  const all = new Float64Array(targets.length).fill(1);
  const change = (figure: Figure, mine: Answers, old: Answers): Estimate =>
    estimate(targets.length, (weights) => figure(mine, weights) - figure(old, weights), SEED);
  return {
    clean(share: number, yes: Yes): Weighed {
      const mine = answers(yes);
      const found = change(macroF1(CLASSES), mine, its.clean);
      const recalls = CLASSES.map((k) => recall(k)(mine, all) - recall(k)(its.clean, all));
      return {
        share,
        clean: found.value,
        surely: lower(found, CLEAN_BOUND.confidence),
        recall: Math.min(...recalls),
        attacked: null,
      };
    },
    attacked(weighed: Weighed, yes: Yes): Weighed {
      const found = change(macroBalanced(CLASSES), answers(yes), its.attacked);
      return { ...weighed, attacked: { gain: found.value, surely: lower(found, CLEAN_BOUND.confidence) } };
    },
  };
}

/** Whether posts as they are surely lose little enough. */
export const fits = ({ surely, recall: least }: Weighed): boolean =>
  surely >= -CLEAN_BOUND.macroF1 && least >= -CLEAN_BOUND.slice;

/**
 * The most robust of the shares that fit together with all smaller ones: one that fits beyond others that do not is luck.
 * @param steps by falling share
 * @param forDrift a round for drift has nothing to gain under attack
 */
export function decide(steps: readonly Weighed[], forDrift: boolean): Weighing {
  const gainOf = ({ attacked }: Weighed): number => attacked?.gain ?? Number.NEGATIVE_INFINITY;
  const beyond = steps.findLastIndex((step) => !fits(step));
  const [first, ...others] = steps.slice(beyond + 1);
  if (!first) return { share: 0, refused: 'every share of the new weights may lose too much on dev', steps };
  const best = others.reduce((most, step) => (gainOf(step) > gainOf(most) ? step : most), first);
  const enough = forDrift || (gainOf(best) >= LEAST_GAIN && (best.attacked?.surely ?? 0) > 0);
  return {
    share: best.share,
    refused: enough ? null : 'what fits gains too little under attack on dev',
    steps,
  };
}
