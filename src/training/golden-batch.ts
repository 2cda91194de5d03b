/** Makes an artefact's golden batch: texts and pictures of our own, scored by the engine that trained. */
import type { Tensor2D, Tensor4D } from '@tensorflow/tfjs';
import type { Tf } from '../models/engine/tf.ts';
import type { Golden } from '../models/golden.ts';
import type { Vocabulary } from '../models/port.ts';
import { gatherVectors, MAX_WORDS, WORD_DIMENSIONS } from '../models/words.ts';
import type { Network } from '../models/zoo/contract.ts';

/** Written for this purpose: nothing, unknown words, other scripts, short, ordinary and cut texts. */
export const GOLDEN_TEXTS: readonly string[] = [
  '',
  'qqzzx vvkkq zzxxy',
  '洪水 警報 が 出ています',
  'flood',
  'Water is rising on Main Street, two families on the roof need a boat',
  'Praying for everybody tonight, stay strong',
  'Puente caído cerca del río, la carretera está cerrada',
  'Road closed between the bridge and the school after the landslide, use the northern route and bring chains because more snow is expected tonight',
  'the the the the the the the the the the the the the the the the',
  'My new song is out now, link in bio',
];
const SIDE = 64;

/** Four pictures by rule: black, white, a slope of colours, a chequered field. [4, 64, 64, 3] */
function drawPictures(): Uint8Array[] {
  const draw = (paint: (x: number, y: number, channel: number) => number): Uint8Array =>
    Uint8Array.from({ length: SIDE * SIDE * 3 }, (_, i) => {
      const pixel = Math.floor(i / 3);
      return paint(pixel % SIDE, Math.floor(pixel / SIDE), i % 3);
    });
  return [
    draw(() => 0),
    draw(() => 255),
    draw((x, y, channel) => [4 * x, 4 * y, 2 * (x + y)][channel] as number),
    draw((x, y, channel) => (((x >> 3) + (y >> 3)) % 2 ? 200 - 40 * channel : 20 + 60 * channel)),
  ];
}

/** Scores the batch with the network as it is now. */
export function makeGolden(tf: Tf, mmn: Network, vocabulary: Vocabulary, table: Float32Array): Golden {
  const words = GOLDEN_TEXTS.map((text) => vocabulary.encode(text));
  const pictures = drawPictures();
  const textIndexes = pictures.map((_, i) => 2 * i); // among them the empty text
  return tf.tidy(() => {
    const tensorOf = (ids: readonly Int32Array[]): ReturnType<Tf['tensor3d']> => {
      const flat = Int32Array.from(ids.flatMap((row) => [...row]));
      const vectors = gatherVectors(table, flat, new Float32Array(flat.length * WORD_DIMENSIONS));
      return tf.tensor3d(vectors, [ids.length, MAX_WORDS, WORD_DIMENSIONS]);
    };
    const pixels = tf.tensor4d(Float32Array.from(pictures.flatMap((bytes) => [...bytes])), [
      pictures.length,
      SIDE,
      SIDE,
      3,
    ]);
    const scaled = tf.div(pixels, 255) as Tensor4D;
    const rowsOf = (logits: Tensor2D): number[][] => logits.arraySync();
    const textLogits = rowsOf(mmn.forward({ words: tensorOf(words) }));
    const beside = tensorOf(textIndexes.map((index) => words[index] as Int32Array));
    const both = rowsOf(mmn.forward({ words: beside, pixels: scaled }));
    const alone = rowsOf(mmn.forward({ pixels: scaled }));
    return {
      texts: GOLDEN_TEXTS.map((text, i) => ({
        text,
        words: [...(words[i] as Int32Array)],
        textLogit: textLogits[i] as number[],
      })),
      pictures: pictures.map((bytes, i) => ({
        text: textIndexes[i] as number,
        pixels: Buffer.from(bytes).toString('base64'),
        logit: both[i] as number[],
        imageLogit: alone[i] as number[],
      })),
    };
  });
}
