/** Ofli-2020 finds its phrases wherever in the post they stand. */
import { expect, it } from 'vitest';
import { ofli2020 } from '../../../../src/models/zoo/ofli2020.ts';
import { zooOnWasm } from '../../../support/zoo-on-wasm.ts';

const zoo = zooOnWasm();

it('gives the same answer when the words move along, another when they change places', () => {
  zoo.using(ofli2020, (network, batch) => {
    const { tf } = zoo;
    const phrase = tf.randomUniform([8, 3, 100], -1, 1, 'float32', 5);
    const at = (place: number, words = phrase) =>
      tf.pad(words, [
        [0, 0],
        [place, 12 - place],
        [0, 0],
      ]);
    const early = zoo.logits(network, { ...batch, words: at(4) });
    zoo.logits(network, { ...batch, words: at(7) }).forEach((logit, i) => {
      expect(logit).toBeCloseTo(early[i] as number, 5);
    });
    const twice = tf.add(at(1), at(9));
    zoo.logits(network, { ...batch, words: twice }).forEach((logit, i) => {
      expect(logit).toBeCloseTo(early[i] as number, 5); // the strongest counts, not how often
    });
    expect(zoo.logits(network, { ...batch, words: at(4, tf.reverse(phrase, 1)) })).not.toEqual(early);
  });
});

it('has the convolutions and widths of the code', () => {
  zoo.using(ofli2020, (network) => {
    const shape = (name: string) => network.layers.getLayer(name).getWeights()[0]?.shape;
    expect([1, 2, 3, 4].map((window) => shape(`text_conv${window}`))).toEqual(
      [1, 2, 3, 4].map((window) => [window, 100, 300]),
    );
    expect([shape('text_dense'), shape('image_dense')]).toEqual([
      [1200, 1000],
      [12, 1000],
    ]);
    expect([shape('hidden1'), shape('hidden2'), shape('logit')]).toEqual([
      [2000, 500],
      [500, 100],
      [100, 1],
    ]);
  });
});
