/** What the judges of an artefact are given, and what they give back. */
import type { Manifest } from '../models/manifest.ts';
import type { Other } from './as-often.ts';
import type { Dataset } from './dataset.ts';
import type { Fitted } from './fit.ts';
import type { FitDeps, Model } from './fit-network.ts';
import type { PictureHashes } from './groups.ts';
import type { DefendedOptions } from './harden.ts';
import type { Pictures } from './pictures.ts';
import type { Split } from './splits.ts';

/** `fitModel` or `fitClasses`. */
type Fit<T> = (
  deps: FitDeps,
  model: Model,
  data: Dataset,
  split: Split,
  options: DefendedOptions,
) => Promise<T>;

/** Trains the model of a build on a split, from its checkpoint where there is one. */
export type FitOn = <T>(train: Fit<T>, split: Split) => Promise<T>;

export interface Judging {
  readonly data: Dataset;
  readonly split: Split;
  readonly unseenFolds: number;
  /** Sets the bias of a yes-or-no model (as-often.ts); null: calibration does. */
  readonly asOftenAs: Other | null;
  readonly leaveOut: readonly string[];
  readonly hashes: PictureHashes;
  readonly pictures: Pictures;
}

export interface JudgedArtefact {
  readonly fitted: Pick<Fitted, 'network' | 'dims' | 'learnt' | 'result'>;
  readonly answers: Pick<Manifest, 'classes' | 'calibration' | 'thresholds' | 'metrics'>;
  /** Goes to evaluation.json. */
  readonly evaluation: object;
  readonly card: (manifest: Omit<Manifest, 'files'>, source: string) => string;
}
