/** From runs to the figures of a row: over seeds, with intervals, per post and per claim, beside plain models. */
import { groupClaims, perClaim } from '../claims.ts';
import { overSeeds } from '../compare.ts';
import type { Example } from '../dataset.ts';
import type { PictureHashes } from '../groups.ts';
import { measure, type Scored } from '../measure.ts';
import type { RunResult } from './runs.ts';

/** A figure over seeds. */
export type OverSeeds = ReturnType<typeof overSeeds> & { readonly n: number };

const over = (values: readonly number[]): OverSeeds => ({ ...overSeeds(values), n: values.length });

/** The figures of one model in one setting. */
export interface RowFigures {
  readonly model: string;
  readonly accuracy: OverSeeds;
  readonly balancedAccuracy: OverSeeds;
  readonly macroF1: OverSeeds;
  readonly auroc: OverSeeds;
  /** Test posts, in the mean. */
  readonly posts: number;
  /** Where claims are known: figures of one answer a claim, and the interval of a bootstrap over claims, mean over seeds. */
  readonly claims: {
    readonly count: number;
    readonly macroF1: OverSeeds;
    readonly bootstrap: readonly [number, number];
  } | null;
  readonly seconds: number;
  /** Trained, those without a better dev figure at the end among them; in the mean. */
  readonly epochs: number;
  readonly trainRows: number;
}

export type PlainModel = 'majority' | 'naive Bayes';

/** @param claimsOf the claim of each test post, by its id; null where posts are independent */
export function rowFigures(model: string, runs: readonly RunResult[], claimsOf: ClaimsOf | null): RowFigures {
  const figures = runs.map((run) => figuresOf(run, run.probability, claimsOf));
  return summary(model, runs, figures);
}

export function plainFigures(
  model: PlainModel,
  runs: readonly RunResult[],
  claimsOf: ClaimsOf | null,
): RowFigures {
  const figures = runs.map((run) =>
    figuresOf(run, model === 'majority' ? run.ids.map(() => run.prior) : run.naiveBayes, claimsOf),
  );
  return summary(model, runs, figures);
}

/** Post id → claim number. */
export type ClaimsOf = ReadonlyMap<string, number>;

export function claimsOf(examples: readonly Example[], hashes: PictureHashes): ClaimsOf {
  const claims = groupClaims(examples, hashes);
  return new Map(examples.map(({ id }, i) => [id, claims[i] as number]));
}

interface SeedFigures {
  readonly posts: ReturnType<typeof measure>;
  readonly claims: {
    readonly count: number;
    readonly macroF1: number;
    readonly bootstrap: readonly [number, number];
  } | null;
}

function figuresOf(run: RunResult, probability: readonly number[], claims: ClaimsOf | null): SeedFigures {
  const scored: Scored = { probability, label: run.label };
  if (!claims) return { posts: measure(scored), claims: null };
  const numbers = Int32Array.from(run.ids, (id) => claims.get(id) ?? -1);
  const clustered = measure(scored, numbers);
  const one = perClaim(scored, numbers);
  return {
    posts: clustered,
    claims: {
      count: one.label.length,
      macroF1: measure(one).macroF1.value,
      bootstrap: clustered.macroF1.interval,
    },
  };
}

function summary(model: string, runs: readonly RunResult[], figures: readonly SeedFigures[]): RowFigures {
  const of = (value: (f: SeedFigures) => number): OverSeeds => over(figures.map(value));
  const mean = (values: readonly number[]): number =>
    values.reduce((a, b) => a + b, 0) / Math.max(1, values.length);
  const claims = figures.map((f) => f.claims).filter((c) => c !== null);
  return {
    model,
    accuracy: of((f) => f.posts.accuracy.value),
    balancedAccuracy: of((f) => f.posts.balancedAccuracy.value),
    macroF1: of((f) => f.posts.macroF1.value),
    auroc: of((f) => f.posts.auroc.value),
    posts: mean(runs.map(({ ids }) => ids.length)),
    claims:
      claims.length === 0
        ? null
        : {
            count: mean(claims.map(({ count }) => count)),
            macroF1: over(claims.map(({ macroF1 }) => macroF1)),
            bootstrap: [
              mean(claims.map(({ bootstrap }) => bootstrap[0])),
              mean(claims.map(({ bootstrap }) => bootstrap[1])),
            ],
          },
    seconds: mean(runs.map(({ seconds }) => seconds)),
    epochs: mean(runs.map(({ epochs }) => epochs)),
    trainRows: mean(runs.map(({ trainRows }) => trainRows)),
  };
}
