/**
 * SSE-Cross: each modality is gated by the other one, and while training posts swap their text or their picture with posts
 * of the same class (stochastic shared embeddings).
 */
import type { LayersModel, Scalar, Tensor1D, Tensor2D } from '@tensorflow/tfjs';
import { seededRandom } from '../../base/random.ts';
import type { Architecture, Batch } from './contract.ts';
import { dropUnits } from './dropout.ts';
import { has } from './presence.ts';
import { chain, joinParts, runNormalised, seededLayers } from './seeded-layers.ts';

export interface SseCrossConfig {
  /** Length of each projected and gated representation. */
  readonly units: number;
  /** Share of each feature and of the layer before the output that is dropped while training. */
  readonly dropout: number;
  /** Chance that a post takes a partner's text, and chance that it takes a partner's picture. */
  readonly swap: number;
}

/**
 * For each post itself or, with the chance `swap`, a post of the same class.
 * @param classes what tells the class of each post
 */
export function partners(classes: readonly string[], swap: number, seed: number): number[] {
  const random = seededRandom(seed);
  const members = new Map<string, number[]>();
  classes.forEach((name, i) => {
    members.set(name, [...(members.get(name) ?? []), i]);
  });
  return classes.map((name, i) => {
    const same = members.get(name) as number[];
    return random() < swap ? (same[Math.floor(random() * same.length)] as number) : i;
  });
}

export const sseCross: Architecture<SseCrossConfig> = {
  name: 'sse-cross',
  source:
    "Abavisani et al., Multimodal Categorization of Crisis Events in Social Media (CVPR 2020), §3.1-3.4 and eq. 3-5; normalisation, dropout and the reading that each gate comes from the other modality's feature as in PaulCCCCCCH/Multimodal-Categorization-of-Crisis-Events-in-Social-Media (unofficial, without the swaps). Changed: the mean token vector in place of [CLS], the picture encoder's class output in place of DenseNet's; a network is not told labels in its pass, so swapped posts are a second cross-entropy beside that of the posts as they are. Inferred: the chance of a swap.",
  columns: () => ['sentence', 'imageLogits', 'present'],
  defaults: { units: 100, dropout: 0.5, swap: 0.5 },
  build(tf, { units, dropout, swap }, dims, head, seed) {
    const make = seededLayers(tf, seed);
    const project = (name: string, width: number): LayersModel =>
      chain(
        tf,
        name,
        [width],
        [make.dense(`${name}_dense`, units), make.batchNorm(`${name}_norm`), make.relu(`${name}_relu`)],
      );
    const gate = (name: string, width: number): LayersModel =>
      chain(tf, `${name}_in`, [width], [make.dense(name, units, 'sigmoid')]);
    const text = project('text', dims.text); // [b, d] → [b, 100]
    const image = project('image', dims.imageLogits); // [b, l] → [b, 100]
    const textGate = gate('text_gate', dims.imageLogits); // [b, l] → [b, 100] in (0, 1)
    const imageGate = gate('image_gate', dims.text); // [b, d] → [b, 100] in (0, 1)
    const fuse = chain(
      tf,
      'joint',
      [2 * units],
      [
        make.dense('fusion', 2 * units), // [b, 200] → [b, 200]
        make.batchNorm('fusion_norm'),
        make.relu('fusion_relu'),
      ],
    );
    const judge = chain(tf, 'fused', [2 * units], [make.dense('logit', head.outputs)]); // [b, 200] → [b, outputs]
    const layers = joinParts(tf, 'sse-cross', [text, image, textGate, imageGate, fuse, judge]);

    const forward = (batch: Batch, dropSeed: number | undefined): Tensor2D =>
      tf.tidy(() => {
        const run = (part: LayersModel, x: Tensor2D, counted?: Tensor2D): Tensor2D =>
          runNormalised(tf, part, x, counted, dropSeed !== undefined);
        const drop = (x: Tensor2D, place: number): Tensor2D =>
          dropSeed === undefined ? x : dropUnits(tf, x, dropout, dropSeed + place);
        const [hasText, hasImage] = [has(tf, batch.present, 'text'), has(tf, batch.present, 'image')];
        const sentence = drop(batch.sentence as Tensor2D, 0);
        const seen = drop(batch.imageLogits as Tensor2D, 1);
        /** What is absent neither counts nor gates. */
        const gated = (part: Tensor2D, own: Tensor2D, by: Tensor2D, other: Tensor2D): Tensor2D =>
          tf.mul(tf.mul(part, own), tf.add(tf.mul(by, other), tf.sub(1, other)));
        const joint = tf.concat(
          [
            gated(run(image, seen, hasImage), hasImage, run(imageGate, sentence), hasText),
            gated(run(text, sentence, hasText), hasText, run(textGate, seen), hasImage),
          ],
          1,
        ) as Tensor2D;
        return judge.apply(drop(run(fuse, joint), 2)) as Tensor2D;
      });

    return {
      layers,
      forward: (batch, step) => forward(batch, step?.seed),
      auxiliaryLoss: (batch, labels, step) =>
        tf.tidy(() => {
          const classes = (labels.arraySync() as number[][]).map(String);
          const present = batch.present?.arraySync() as number[][];
          /** Only who has the modality too can give it. */
          const swapped = (modality: 0 | 1): Tensor1D =>
            tf.tensor1d(
              partners(
                classes.map((name, i) => `${name} ${present[i]?.[modality]}`),
                swap,
                step.seed + 4 + modality,
              ),
              'int32',
            );
          const others: Batch = {
            sentence: tf.gather(batch.sentence as Tensor2D, swapped(0)),
            imageLogits: tf.gather(batch.imageLogits as Tensor2D, swapped(1)),
            present: batch.present as Tensor2D,
          };
          const logits = forward(others, step.seed + 8);
          const loss =
            head.kind === 'softmax' ? tf.losses.softmaxCrossEntropy : tf.losses.sigmoidCrossEntropy;
          return loss(labels, logits) as Scalar;
        }),
      dispose: () => layers.dispose(),
    };
  },
};
