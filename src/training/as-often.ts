/**
 * A bias under which a model says yes as often as another one does of the same posts: training against attacks moves the middle, and one
 * class would pay for the other.
 */
import type { Calibration } from '../models/manifest.ts';
import type { Example } from './dataset.ts';

/** The other model, as it serves. */
export interface Other {
  readonly version: string;
  /** Probabilities of yes; null for a post that it gives no score. */
  readonly score: (posts: readonly Example[]) => Promise<readonly (number | null)[]>;
}

/**
 * The calibration with another bias; as it is where all posts or none are wanted, which no bias can tell.
 * @param logits the model's own, uncalibrated
 * @param wanted how many of the posts are to be answered with yes
 */
export function asOften(own: Calibration, logits: readonly number[], wanted: number): Calibration {
  const sorted = [...logits].sort((a, b) => b - a);
  const [last, next] = [sorted[wanted - 1], sorted[wanted]];
  return last === undefined || next === undefined ? own : { ...own, bias: (-own.scale * (last + next)) / 2 };
}
