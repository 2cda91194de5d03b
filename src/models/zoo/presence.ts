/** A modality that a post has not: its representation is zero, whatever stands in its columns. */
import type { Tensor, Tensor2D } from '@tensorflow/tfjs';
import type { Tf } from '../engine/tf.ts';

/** Columns of `present`. */
const PLACE = { text: 0, image: 1 } as const;

/** 1 for a row that has the modality, 0 for one that has not. [b, 2] → [b, 1] */
export const has = (tf: Tf, present: Tensor | undefined, modality: keyof typeof PLACE): Tensor2D =>
  tf.slice(present as Tensor2D, [0, PLACE[modality]], [-1, 1]);
