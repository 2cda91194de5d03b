/** Gaussians with a diagonal covariance, as the variational networks have them. */
import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs';
import type { Tf } from '../engine/tf.ts';

/** One Gaussian per row. [b, n] each */
export interface Gaussian {
  readonly mean: Tensor2D;
  readonly logVariance: Tensor2D;
}

/** mean + σ·ε with ε drawn from the seed, so that the gradient passes through (Kingma & Welling 2014, §2.4). [b, n] */
export const sample = (tf: Tf, { mean, logVariance }: Gaussian, seed: number): Tensor2D =>
  tf.add(mean, tf.mul(tf.exp(tf.mul(logVariance, 0.5)), tf.randomNormal(mean.shape, 0, 1, 'float32', seed)));

/** KL(p ‖ q) in nats, summed over the dimensions. [b] */
export const divergence = (tf: Tf, p: Gaussian, q: Gaussian): Tensor1D =>
  tf.mul(
    0.5,
    tf.sum(
      tf.sub(
        tf.add(
          tf.exp(tf.sub(p.logVariance, q.logVariance)),
          tf.div(tf.square(tf.sub(p.mean, q.mean)), tf.exp(q.logVariance)),
        ),
        tf.add(tf.sub(p.logVariance, q.logVariance), 1),
      ),
      1,
    ),
  );

/** KL(p ‖ N(0, 1)). [b] */
export const divergenceFromStandard = (tf: Tf, p: Gaussian): Tensor1D => {
  const zeros = tf.zerosLike(p.mean);
  return divergence(tf, p, { mean: zeros, logVariance: zeros });
};

/** (KL(p ‖ q) + KL(q ‖ p)) / 2. [b] */
export const symmetricDivergence = (tf: Tf, p: Gaussian, q: Gaussian): Tensor1D =>
  tf.mul(0.5, tf.add(divergence(tf, p, q), divergence(tf, q, p)));
