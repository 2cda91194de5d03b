/** The tensor library as an argument, so that one place decides where tensors live. */
import type * as tf from '@tensorflow/tfjs';

/** tfjs with a backend chosen. */
export type Tf = typeof tf;
