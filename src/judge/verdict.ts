/** What the gate says of a candidate: every check with its figure, its limit and a sentence for people. All of it is JSON. */

/** One question that was asked of the candidate. */
export interface Check {
  readonly name: string;
  readonly passed: boolean;
  /** Null where there was nothing to measure. */
  readonly value: number | null;
  /** What the value is held against; `why` says in which direction. */
  readonly limit: number | null;
  /** The part of the posts that the figure is about: a class, an event, a language, an attack. */
  readonly slice?: string;
  readonly why: string;
}

/** A model version as every other place names it. */
export interface JudgedModel {
  readonly name: string;
  readonly version: string;
  /** The `digest` of its manifest.json. */
  readonly digest: string;
}

export interface Verdict {
  /** Whether every check passed. */
  readonly passed: boolean;
  readonly task: string;
  readonly purpose: Purpose;
  readonly candidate: JudgedModel;
  readonly champion: JudgedModel;
  /** The champion of five promotions ago. */
  readonly reference: JudgedModel | null;
  readonly vault: {
    readonly name: string;
    readonly sha256: string;
    /** Posts that judged. */
    readonly posts: number;
    /** Posts that one of the models was trained or tuned on: they judge nothing. */
    readonly leftOut: number;
  };
  readonly seed: number;
  /** Milliseconds since the epoch. */
  readonly judgedAt: number;
  readonly checks: readonly Check[];
}

/** Why there is a candidate: to withstand more, or to follow the stream. */
export type Purpose = 'robustness' | 'drift';

/** A share or a difference of shares as a person reads it. */
export const points = (value: number): string => `${(100 * value).toFixed(1)} points`;
export const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;
