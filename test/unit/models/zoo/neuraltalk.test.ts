/** NeuralTalk reads in order, and the picture, which comes first, colours what comes after. */
import { expect, it } from 'vitest';
import { neuraltalk } from '../../../../src/models/zoo/neuraltalk.ts';
import { zooOnWasm } from '../../../support/zoo-on-wasm.ts';

const zoo = zooOnWasm();

it('reads the words in order', () => {
  zoo.using(neuraltalk, (network, batch) => {
    const words = batch.words as NonNullable<typeof batch.words>;
    const turned = zoo.tf.reverse(words, 1);
    expect(zoo.logits(network, { ...batch, words: turned })).not.toEqual(zoo.logits(network, batch));
  });
});

it('has the picture as a step of its own before the words', () => {
  zoo.using(neuraltalk, (network) => {
    expect(network.layers.getLayer('steps').outputShape).toEqual([null, 16, 32]);
    expect(network.layers.getLayer('lstm').outputShape).toEqual([null, 16, 32]);
  });
});
