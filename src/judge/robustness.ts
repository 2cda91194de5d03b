/**
 * Does the candidate withstand attacks, and above all those that its training never sees (robustness.md §5)? Training
 * sees Eq. 2 and, for pictures, FGSM; the gate keeps all other attacks of the strong suite for itself.
 */
import type { Tf } from '../models/engine/tf.ts';
import { amongst, type Estimate, estimate, lower, upper } from '../training/statistics.ts';
import type { JudgeOptions } from './options.ts';
import type { Served } from './served.ts';
import type { Sitting } from './sitting.ts';
import { type Check, percent, points } from './verdict.ts';
import {
  type Arena,
  type Attacked,
  attacked,
  attackedTexts,
  drawAttacked,
  openArena,
  type Right,
  untouched,
} from './withstand.ts';

const BEFORE = 'the champion of five promotions ago';

/** What training sees. */
const SEEN: readonly string[] = ['words', 'fgsm', 'joint'];
/** Small talk as long as all that is read leaves little or nothing of the post: no worst case holds it. */
const ERASING: readonly string[] = ['prefix-15', 'around-15'];

/**
 * Of models that read texts through frozen encoders: only attacks on texts reach them here. Their training sees none, so
 * nothing is memorised, and no gain is asked for. A prefix leaves of such a post what it was.
 */
async function textChecks(sitting: Sitting): Promise<Check[]> {
  const { candidate, champion, reference, options, exclusive } = sitting;
  const posts = drawAttacked(sitting, options.attackedTexts);
  const stoodOf = async (served: Served): Promise<Pick<Stood, 'byAttack' | 'unseen'>> => {
    const byAttack = await attackedTexts(posts, served);
    return { byAttack, unseen: worstOf(await untouched(posts, served), byAttack.values()) };
  };
  const [its, mine] = [await stoodOf(champion.served), await stoodOf(candidate.served)];
  const { compare } = comparison(posts, exclusive);
  const before = reference ? await stoodOf(reference.served) : null;
  return [
    notBelow('robust-unseen', 'the champion', compare(mine.unseen, its.unseen), options),
    ...attackChecks(mine, its, compare, options),
    ...(before ? [notBelow('reference-robust', BEFORE, compare(mine.unseen, before.unseen), options)] : []),
  ];
}

interface Stood {
  /** Each attack, crafted on the model itself. */
  readonly byAttack: ReadonlyMap<string, Right>;
  /** Worst of what training sees, crafted on the other model: as the sidecar crafts it once on the champion. */
  readonly seen: Right;
  /** Worst of what training does not see. */
  readonly unseen: Right;
}

export async function robustnessChecks(tf: Tf, sitting: Sitting): Promise<Check[]> {
  const { candidate, champion, reference, options } = sitting;
  if (![candidate, champion].every(({ served }) => served.scoreInputs)) return textChecks(sitting);
  const arena = await openArena(tf, sitting);
  // Crafted on another model all attacks are weaker; so each of the two is shown what was crafted on the other.
  const its = await stood(tf, arena, champion.served, candidate.served);
  const mine = await stood(tf, arena, candidate.served, champion.served);
  const { compare, level } = comparison(arena, sitting.exclusive);
  const between = (part: 'seen' | 'unseen'): Compared => ({
    ...compare(mine[part], its[part]),
    from: level(its[part]),
    to: level(mine[part]),
  });
  const [seen, unseen] = [between('seen'), between('unseen')];
  const before = reference?.served.scoreInputs
    ? [
        notBelow(
          'reference-robust',
          BEFORE,
          compare(mine.unseen, (await stood(tf, arena, reference.served, champion.served)).unseen),
          options,
        ),
      ]
    : [];
  return [
    unseenCheck(unseen, options),
    memorisedCheck(seen, unseen, options),
    ...attackChecks(mine, its, compare, options),
    ...before,
  ];
}

async function stood(tf: Tf, arena: Arena, served: Served, other: Served): Promise<Stood> {
  const clean = await untouched(arena, served);
  const byAttack = await attacked(tf, arena, served, served, clean, () => true);
  const shown = await attacked(tf, arena, served, other, clean, (name) => SEEN.includes(name));
  return {
    byAttack,
    seen: worstOf(clean, shown.values()),
    unseen: worstOf(
      clean,
      [...byAttack].flatMap(([name, right]) =>
        SEEN.includes(name) || ERASING.includes(name) ? [] : [right],
      ),
    ),
  };
}

/** Of each post the worst. */
const worstOf = (clean: Right, attacked: Iterable<Right>): Right =>
  [...attacked].reduce((least, right) => least.map((value, i) => Math.min(value, right[i] as number)), clean);

type Compare = (a: Right, b: Right) => Estimate;

/** The change with the champion's level and the candidate's. */
interface Compared extends Estimate {
  readonly from: number;
  readonly to: number;
}

const told = ({ from, to, value }: Compared): string =>
  `${percent(from)} → ${percent(to)} (${points(value)})`;

/**
 * Difference of two models on the same posts. Where every post has one class it is a mean over classes, because a model
 * that always answers the same withstands everything in the class that it answers.
 */
function comparison(
  { targets, classes, clusters, seed }: Attacked,
  exclusive: boolean,
): { readonly compare: Compare; readonly level: (right: Right) => number } {
  const mean = (right: Right, weights: Float64Array, counts: (i: number) => boolean): number => {
    let [sum, total] = [0, 0];
    for (let i = 0; i < right.length; i += 1) {
      if (!counts(i)) continue;
      sum += (weights[i] as number) * (right[i] as number);
      total += weights[i] as number;
    }
    return total === 0 ? 0 : sum / total;
  };
  const figure = (right: Right, weights: Float64Array): number =>
    exclusive
      ? classes.reduce((sum, _, k) => sum + mean(right, weights, (i) => targets[i]?.[k] === 1), 0) /
        classes.length
      : mean(right, weights, () => true);
  return {
    compare: (a, b) =>
      estimate(a.length, (weights) => figure(a, weights) - figure(b, weights), seed, clusters),
    level: (right) => figure(right, new Float64Array(right.length).fill(1)),
  };
}

function unseenCheck(unseen: Compared, options: JudgeOptions): Check {
  const { purpose, confidence, robustGain, sliceLoss } = options;
  const surely = lower(unseen, confidence);
  const isGain = purpose === 'robustness';
  const limit = isGain ? robustGain : -sliceLoss;
  return {
    name: 'robust-unseen',
    passed: unseen.value >= limit && (!isGain || surely > 0),
    value: unseen.value,
    limit,
    why:
      `right in the worst case over attacks that training never sees: ${told(unseen)}, surely at least ${points(surely)}; ` +
      (isGain
        ? `a retraining for robustness must gain ${points(robustGain)}, and surely something.`
        : `a retraining for drift may lose ${points(sliceLoss)}.`),
  };
}

/** Whatever the purpose is said to be: the sidecar that says it is the one that is examined. */
function memorisedCheck(seen: Compared, unseen: Compared, options: JudgeOptions): Check {
  const { confidence, robustGain } = options;
  const gained = seen.value >= robustGain && lower(seen, confidence) > 0;
  const generalised = lower(unseen, confidence) > 0;
  return {
    name: 'not-memorised',
    passed: !gained || generalised,
    value: unseen.value,
    limit: gained ? 0 : null,
    why:
      `right under what training saw: ${told(seen)}; under what it never saw: ${told(unseen)}` +
      `${gained && !generalised ? ': not robust, memorised.' : '.'}`,
  };
}

/** No single attack may do surely more harm than to the champion. */
function attackChecks(
  mine: Pick<Stood, 'byAttack'>,
  its: Pick<Stood, 'byAttack'>,
  compare: Compare,
  options: JudgeOptions,
): Check[] {
  const level = amongst(options.confidence, mine.byAttack.size);
  return [...mine.byAttack].map(([slice, right]) => {
    const change = compare(right, its.byAttack.get(slice) ?? right);
    return {
      name: 'robust-attack',
      slice,
      passed: change.value >= -options.sliceLoss || upper(change, level) >= 0,
      value: change.value,
      limit: -options.sliceLoss,
      why: `under this attack, crafted on each model itself, the change is ${points(change.value)} (± ${points(change.error)}).`,
    };
  });
}

/** A loss counts from two points on, and beyond chance. */
function notBelow(
  name: string,
  other: string,
  unseen: Estimate,
  { confidence, sliceLoss }: JudgeOptions,
): Check {
  return {
    name,
    passed: unseen.value >= -sliceLoss || upper(unseen, confidence) >= 0,
    value: unseen.value,
    limit: -sliceLoss,
    why: `the worst case over attacks that training never sees changes by ${points(unseen.value)} (± ${points(unseen.error)}) against ${other}.`,
  };
}
