/** Makes a rumour artefact's golden batch: texts and pictures of our own, scored by the engine that trained. */
import type { Tf } from '../models/engine/tf.ts';
import type { GoldenPost } from '../models/golden-rumour.ts';
import type { RumourInput } from '../models/port.ts';
import type { Dims, Network } from '../models/zoo/contract.ts';
import type { Shown } from './build-table.ts';
import type { Encoders } from './encoders.ts';
import type { Model } from './fit-network.ts';
import { GOLDEN_TEXTS } from './golden-batch.ts';
import { yesLogits } from './score.ts';

const SIDE = 224;

/** Three pictures by rule, simple enough to be stored small: grey, steps of colour, a chequered field. [224, 224, 3] each */
function drawPictures(): Uint8Array[] {
  const draw = (paint: (x: number, y: number, channel: number) => number): Uint8Array =>
    Uint8Array.from({ length: SIDE * SIDE * 3 }, (_, i) => {
      const pixel = Math.floor(i / 3);
      return paint(pixel % SIDE, Math.floor(pixel / SIDE), i % 3);
    });
  return [
    draw(() => 128),
    draw((x, y, channel) => ([x, y, (x + y) >> 1][channel] as number) & 0xf0),
    draw((x, y, channel) => (((x >> 5) + (y >> 5)) % 2 ? 200 - 40 * channel : 20 + 60 * channel)),
  ];
}

/** Every text alone; every picture with an ordinary text and without one. */
function goldenInputs(): RumourInput[] {
  return [
    ...GOLDEN_TEXTS.map((text) => ({ text, picture: null })),
    ...drawPictures().flatMap((picture) => [
      { text: 'Water is rising on Main Street, two families on the roof need a boat', picture },
      { text: '', picture },
    ]),
  ];
}

/** Scores the batch with the network as it is now. */
export async function makeRumourGolden(
  tf: Tf,
  network: Network,
  { architecture, config, head }: Model,
  dims: Dims,
  encoders: Encoders,
): Promise<GoldenPost[]> {
  const inputs = goldenInputs();
  const columns = architecture.columns(config);
  const margins = (shown: readonly RumourInput[]): Promise<number[]> => {
    const examples: Shown[] = shown.map(({ text, picture }) => ({
      text,
      pixels: picture, // says only that there is one: the network reads the encoder's vectors
      large: async () => picture,
      event: -1,
    }));
    return yesLogits({ tf, network, head, columns, dims, encoders }, examples);
  };
  const both = await margins(inputs);
  const text = await margins(inputs.map((input) => ({ ...input, picture: null })));
  const image = await margins(inputs.map((input) => ({ ...input, text: '' })));
  return inputs.map((input, i) => {
    const [hasText, hasPicture] = [input.text !== '', input.picture !== null];
    const marginIf = (has: boolean, of: readonly number[]): number | null => (has ? (of[i] as number) : null);
    return {
      input,
      margins: {
        both: marginIf(hasText && hasPicture, both),
        text: marginIf(hasText, text),
        image: marginIf(hasPicture, image),
      },
    };
  });
}
