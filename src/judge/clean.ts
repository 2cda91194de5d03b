/** Is the candidate as good on posts that nobody attacked: on the whole, in every part, and as it was five promotions ago? */
import { membersOf } from '../training/groups.ts';
import {
  type Answers,
  amongst,
  type Estimate,
  estimate,
  type Figure,
  f1,
  lower,
  macroBalanced,
  macroF1,
  microF1,
  recall,
  upper,
} from '../training/statistics.ts';
import type { Examined, Sitting } from './sitting.ts';
import { type Check, percent, points } from './verdict.ts';

/** Classes that hold the injured, the missing and the rescued (src/training/humanitarian.ts): they may lose nothing. */
const LIVES: readonly string[] = ['affected_people', 'aid'];

const allOf = ({ classes }: Sitting): number[] => classes.map((_, k) => k);

/** Candidate − other, on the same resampled posts. */
function difference(
  { candidate, seed, clusters, targets }: Sitting,
  other: Examined,
  figure: Figure,
): Estimate {
  const of = (weights: Float64Array): number =>
    figure(candidate.answers, weights) - figure(other.answers, weights);
  return estimate(targets.length, of, seed, clusters);
}

function withoutLoss(name: string, sitting: Sitting, other: Examined, called: string): Check {
  const { options } = sitting;
  const change = difference(sitting, other, macroF1(allOf(sitting)));
  const value = lower(change, options.confidence);
  return {
    name,
    passed: value >= -options.cleanLoss,
    value,
    limit: -options.cleanLoss,
    why: `macro-F1 changes by ${points(change.value)} against ${called}; with ${percent(options.confidence)} confidence by at least ${points(value)}, and ${points(-options.cleanLoss)} is allowed.`,
  };
}

/** A model that always answers the same has 0.5, whatever the vault. */
function betterThanConstant(sitting: Sitting): Check {
  const { candidate, targets, clusters, seed, options } = sitting;
  const figure = macroBalanced(allOf(sitting));
  const found = estimate(targets.length, (weights) => figure(candidate.answers, weights), seed, clusters);
  const value = lower(found, options.confidence);
  return {
    name: 'clean-balanced-accuracy',
    passed: value >= options.leastBalanced,
    value,
    limit: options.leastBalanced,
    why: `balanced accuracy is ${percent(found.value)}, with ${percent(options.confidence)} confidence at least ${percent(value)}; a constant answer has 50 %.`,
  };
}

/** One part of the posts with the figure that is compared in it. */
interface Slice {
  readonly name: string;
  readonly figure: Figure;
  /** Indexes; all posts where absent. */
  readonly members?: readonly number[];
}

const part = ({ classes, outcomes }: Answers, members: readonly number[]): Answers => ({
  classes,
  outcomes: Uint8Array.from(members.flatMap((i) => [...outcomes.subarray(i * classes, (i + 1) * classes)])),
});

/**
 * One check per slice. A slice fails when it loses more than is allowed and the loss is more than chance, all slices of a
 * kind being looked at together.
 */
function slices(
  name: string,
  sitting: Sitting,
  other: Examined,
  called: string,
  found: readonly Slice[],
): Check[] {
  const { options, candidate, seed, clusters, targets } = sitting;
  const level = amongst(options.confidence, found.length);
  return found.map(({ name: slice, figure, members }) => {
    const mine = members ? part(candidate.answers, members) : candidate.answers;
    const its = members ? part(other.answers, members) : other.answers;
    const n = members?.length ?? targets.length;
    const within = clusters && members ? Int32Array.from(members, (i) => clusters[i] as number) : clusters;
    const change = estimate(n, (weights) => figure(mine, weights) - figure(its, weights), seed, within);
    const passed = change.value >= -options.sliceLoss || upper(change, level) >= 0;
    const isChance = change.value < -options.sliceLoss && passed;
    return {
      name,
      slice,
      passed,
      value: change.value,
      limit: -options.sliceLoss,
      why: `changes by ${points(change.value)} (± ${points(change.error)}) on ${n} posts against ${called}${isChance ? ': so few posts may change that much by chance' : ''}.`,
    };
  });
}

function classSlices(sitting: Sitting, figure: (k: number) => Figure): Slice[] {
  return sitting.classes.map((name, k) => ({ name, figure: figure(k) }));
}

/** Slices with enough posts; the others together are one more. */
function groupsBy(sitting: Sitting, key: (i: number) => string): Slice[] {
  const names = [...new Set(sitting.examples.map((_, i) => key(i)))].sort();
  const groups = membersOf(Int32Array.from(sitting.examples, (_, i) => names.indexOf(key(i))));
  const { sliceLeast } = sitting.options;
  const small = groups.filter(({ length }) => length < sliceLeast).flat();
  return [
    ...groups
      .filter(({ length }) => length >= sliceLeast)
      .map((members) => ({ name: key(members[0] as number), members, figure: microF1 })),
    ...(small.length >= sliceLeast ? [{ name: '(all small ones)', members: small, figure: microF1 }] : []),
  ];
}

/** Classes where a miss costs lives: not one post less, chance or not. */
function livesNotLost(sitting: Sitting): Check[] {
  return sitting.classes.flatMap((name, k) => {
    if (!LIVES.includes(name)) return [];
    const { value } = difference(sitting, sitting.champion, recall(k));
    return [
      {
        name: 'lives-recall',
        slice: name,
        passed: value >= 0,
        value,
        limit: 0,
        why: `recall changes by ${points(value)}; in this class nothing may be lost.`,
      },
    ];
  });
}

export function cleanChecks(sitting: Sitting): Check[] {
  const { champion, reference, examples } = sitting;
  const called = 'the champion';
  const before = 'the champion of five promotions ago';
  return [
    withoutLoss('clean-macro-f1', sitting, champion, called),
    betterThanConstant(sitting),
    ...slices('class-recall', sitting, champion, called, classSlices(sitting, recall)),
    ...slices('class-f1', sitting, champion, called, classSlices(sitting, f1)),
    ...slices(
      'event',
      sitting,
      champion,
      called,
      groupsBy(sitting, (i) => examples[i]?.event as string),
    ),
    ...slices(
      'language',
      sitting,
      champion,
      called,
      groupsBy(sitting, (i) => examples[i]?.language as string),
    ),
    ...livesNotLost(sitting),
    ...(reference
      ? [
          withoutLoss('reference-macro-f1', sitting, reference, before),
          ...slices('reference-class-recall', sitting, reference, before, classSlices(sitting, recall)),
        ]
      : []),
  ];
}
