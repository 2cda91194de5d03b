/**
 * CAFE-lite: text and picture are aligned in one space; how far apart their Gaussians lie there (their ambiguity) decides
 * whether the cross-modal or the unimodal representations count.
 */
import type { LayersModel, Scalar, Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import { seededRandom } from '../../base/random.ts';
import type { Tf } from '../engine/tf.ts';
import type { Architecture, Batch, Step } from './contract.ts';
import { dropUnits } from './dropout.ts';
import { type Gaussian, symmetricDivergence } from './gaussians.ts';
import { has } from './presence.ts';
import { chain, joinParts, runNormalised, seededLayers } from './seeded-layers.ts';

export interface CafeConfig {
  /** Width of the first layer of the text and of the picture encoder. */
  readonly hidden: { readonly text: number; readonly image: number };
  /** Length of both encodings. */
  readonly shared: number;
  /** Length of both aligned representations, of the cross-modal one, and width of the detector. */
  readonly aligned: number;
  /** Length of both unimodal representations. */
  readonly unimodal: number;
  /** Dimensions of the Gaussians. */
  readonly latent: number;
  /** Share of the encoders' first layer that is dropped while training. */
  readonly dropout: number;
  /** Weight of the alignment loss beside the cross-entropy. */
  readonly alignmentWeight: number;
}

/**
 * How ambiguous each post is: 0.5 where both modalities have the same Gaussian, towards 1 the more they differ. [b, 1]
 */
export const ambiguity = (tf: Tf, text: Gaussian, image: Gaussian): Tensor2D =>
  tf.expandDims(tf.sigmoid(symmetricDivergence(tf, text, image)), 1);

/**
 * Who is paired with whose picture to make a pair that does not belong together: the rows of `rows` in a circle.
 * @returns for each of `rows` another of them; empty where there are fewer than two
 */
export function mismatch(rows: readonly number[], seed: number): number[] {
  if (rows.length < 2) return [];
  const shift = 1 + Math.floor(seededRandom(seed)() * (rows.length - 1));
  return rows.map((_, i) => rows[(i + shift) % rows.length] as number);
}

export const cafeLite: Architecture<CafeConfig> = {
  name: 'cafe-lite',
  source:
    'Chen et al., Cross-modal Ambiguity Learning for Multimodal Fake News Detection (CAFE, WWW 2022), §3; layers and widths as in cyxanna/CAFE (model.py, train.py). Changed: the encoder is shared by alignment and detection and the two losses are added in place of alternated; the mean token vector is the text; the divergence is computed in closed form in place of from samples, from log variances; pairs whose pictures are the same are not called mismatched; a post with one modality is judged by it alone.',
  columns: () => ['sentence', 'imageFeatures', 'present'],
  // All widths and the dropout as in the code.
  defaults: {
    hidden: { text: 64, image: 256 },
    shared: 128,
    aligned: 64,
    unimodal: 16,
    latent: 2,
    dropout: 0.5,
    alignmentWeight: 1,
  },
  build(tf, config, dims, head, seed) {
    const { hidden, shared, aligned, unimodal, latent } = config;
    const make = seededLayers(tf, seed);
    /** Dense layers of these widths, each normalised, then relu. [b, widths.first] → [b, widths.last] */
    const block = (name: string, widths: readonly number[]): LayersModel =>
      chain(
        tf,
        name,
        [widths[0] as number],
        widths
          .slice(1)
          .flatMap((units, i) => [
            make.dense(`${name}_dense${i}`, units),
            make.batchNorm(`${name}_norm${i}`),
            make.relu(`${name}_relu${i}`),
          ]),
      );
    const gaussian = (name: string): LayersModel =>
      chain(
        tf,
        name,
        [aligned],
        [make.dense(`${name}_hidden`, aligned, 'relu'), make.dense(`${name}_out`, 2 * latent)],
      );
    const branch = (name: 'text' | 'image', width: number) => ({
      encode: [
        block(`${name}_narrow`, [width, hidden[name]]),
        block(`${name}_shared`, [hidden[name], shared]),
      ] as const,
      align: block(`${name}_aligned`, [shared, shared, aligned]),
      gaussian: gaussian(`${name}_gaussian`),
      alone: block(`${name}_alone`, [shared, shared, unimodal]),
    });
    const text = branch('text', dims.text);
    const image = branch('image', dims.imageFeatures);
    const correlate = block('cross', [aligned, aligned]);
    const detect = block('detector', [2 * unimodal + aligned, aligned, aligned]);
    const judge = chain(tf, 'detected', [aligned], [make.dense('logit', head.outputs)]);

    /** Rows that lack the modality do not count in its normalisations. */
    const encode = (batch: Batch, step: Step | undefined): Record<'text' | 'image', Encoded> => {
      const through = (of: typeof text, x: Tensor2D, name: 'text' | 'image'): Encoded => {
        const present = has(tf, batch.present, name); // [b, 1]
        const run = (part: LayersModel, input: Tensor2D): Tensor2D =>
          runNormalised(tf, part, input, present, step !== undefined);
        const [first, second] = of.encode;
        const narrow = run(first, x);
        const seed = (step?.seed ?? 0) + (name === 'text' ? 0 : 1);
        const encoded = run(second, step ? dropUnits(tf, narrow, config.dropout, seed) : narrow); // [b, 128]
        return { present, encoded, run, aligned: run(of.align, encoded) };
      };
      return {
        text: through(text, batch.sentence as Tensor2D, 'text'),
        image: through(image, batch.imageFeatures as Tensor2D, 'image'),
      };
    };

    const layers = joinParts(tf, 'cafe-lite', [
      ...[text, image].flatMap(({ encode: [first, second], align, gaussian: density, alone }) => [
        first,
        second,
        align,
        density,
        alone,
      ]),
      correlate,
      detect,
      judge,
    ]);
    return {
      layers,
      forward: (batch, step) =>
        tf.tidy(() => {
          const seen = encode(batch, step);
          const both = tf.mul(seen.text.present, seen.image.present) as Tensor2D; // [b, 1]
          const density = (part: LayersModel, x: Tensor2D): Gaussian => {
            const [mean, logVariance] = tf.split(part.apply(x) as Tensor2D, 2, 1) as [Tensor2D, Tensor2D];
            return { mean, logVariance }; // [b, 2] each
          };
          const gate = tf.mul(
            ambiguity(
              tf,
              density(text.gaussian, seen.text.aligned),
              density(image.gaussian, seen.image.aligned),
            ),
            both,
          ); // [b, 1]
          const prime = (of: typeof text, { run, encoded, present }: Encoded): Tensor2D =>
            tf.mul(run(of.alone, encoded), present); // [b, 16]
          const alone = tf.concat([prime(text, seen.text), prime(image, seen.image)], 1);
          const run = (part: LayersModel, x: Tensor2D, counted?: Tensor2D): Tensor2D =>
            runNormalised(tf, part, x, counted, step !== undefined);
          const cross = run(correlate, correlation(tf, seen.text.aligned, seen.image.aligned), both); // [b, 64]
          const joint = tf.concat([tf.mul(alone, tf.sub(1, gate)), tf.mul(cross, gate)], 1) as Tensor2D; // [b, 96]
          return judge.apply(run(detect, joint)) as Tensor2D;
        }),
      auxiliaryLoss: (batch, labels, step) =>
        tf.tidy(() => {
          const seen = encode(batch, step);
          const loss = alignmentLoss(
            tf,
            { text: seen.text.aligned, image: seen.image.aligned, picture: batch.imageFeatures as Tensor2D },
            genuineRows(tf, batch, labels, head.kind === 'softmax'),
            step.seed,
          );
          return tf.mul(config.alignmentWeight, loss);
        }),
      dispose: () => layers.dispose(),
    };
  },
};

interface Encoded {
  /** [b, 1] */
  readonly present: Tensor2D;
  /** [b, 128] */
  readonly encoded: Tensor2D;
  /** [b, 64] */
  readonly aligned: Tensor2D;
  /** Runs a further part on the rows of this modality. */
  readonly run: (part: LayersModel, x: Tensor2D) => Tensor2D;
}

/** Largest share that each text dimension gives to one picture dimension. [b, n], [b, n] → [b, n] */
function correlation(tf: Tf, text: Tensor2D, image: Tensor2D): Tensor2D {
  const scaled = tf.div(tf.mul(tf.expandDims(text, 2), tf.expandDims(image, 1)), Math.sqrt(text.shape[1]));
  return tf.max(tf.softmax(scaled as Tensor3D), 2);
}

/**
 * Pairs are made from posts of class 0, the true ones where rumours are told, that have both modalities: in a rumour text and
 * picture need not belong together.
 */
function genuineRows(tf: Tf, batch: Batch, labels: Tensor2D, oneHot: boolean): number[] {
  const genuine = oneHot ? tf.slice(labels, [0, 0], [-1, 1]) : tf.sub(1, tf.max(labels, 1, true)); // no output says yes
  const usable = tf.mul(genuine, tf.prod(batch.present as Tensor2D, 1, true)).dataSync();
  return [...usable.keys()].filter((row) => (usable[row] as number) > 0.5);
}

/**
 * Cosine embedding loss: 1 - cos of pairs that belong together, cos (where positive) of pairs that do not, mean over both.
 * @param pairs aligned text and picture [b, n] each, and the picture itself [b, v]
 */
function alignmentLoss(
  tf: Tf,
  pairs: { readonly text: Tensor2D; readonly image: Tensor2D; readonly picture: Tensor2D },
  rows: readonly number[],
  seed: number,
): Scalar {
  const others = mismatch(rows, seed);
  if (others.length === 0) return tf.scalar(0);
  const [count] = pairs.text.shape;
  const pick = (which: readonly number[]): Tensor2D =>
    tf.oneHot(tf.tensor1d([...which], 'int32'), count) as Tensor2D;
  // Rows are picked by a product because the gradient of a gather is missing on the wasm backend.
  const [own, other] = [pick(rows), pick(others)];
  const from = (picked: Tensor2D, x: Tensor2D): Tensor2D => tf.matMul(picked, x);
  const text = from(own, pairs.text); // [m, n]
  const cosine = (a: Tensor2D, b: Tensor2D): Tensor2D =>
    tf.div(
      tf.sum(tf.mul(a, b), 1, true),
      tf.add(tf.mul(tf.norm(a, 'euclidean', 1, true), tf.norm(b, 'euclidean', 1, true)), 1e-8),
    );
  const matched = tf.sub(1, cosine(text, from(own, pairs.image)));
  const same = tf.all(tf.equal(from(own, pairs.picture), from(other, pairs.picture)), 1, true);
  const differs = tf.sub(1, tf.cast(same, 'float32'));
  const mismatched = tf.mul(tf.relu(cosine(text, from(other, pairs.image))), differs);
  return tf.div(tf.add(tf.sum(matched), tf.sum(mismatched)), tf.add(rows.length, tf.sum(differs))) as Scalar;
}
