/** SpotFake's widths, and units that are dropped by seed. */
import { expect, it } from 'vitest';
import { spotfake } from '../../../../src/models/zoo/spotfake.ts';
import { zooOnWasm } from '../../../support/zoo-on-wasm.ts';

const zoo = zooOnWasm();

it('narrows each modality to 32 and joins them in 35', () => {
  zoo.using(spotfake, (network) => {
    const shape = (name: string) => network.layers.getLayer(name).getWeights()[0]?.shape;
    expect([shape('text_dense1'), shape('text_dense2')]).toEqual([
      [8, 256],
      [256, 32],
    ]);
    expect([shape('image_dense1'), shape('image_dense2')]).toEqual([
      [12, 256],
      [256, 32],
    ]);
    expect([shape('fusion_dense1'), shape('logit')]).toEqual([
      [64, 35],
      [35, 1],
    ]);
  });
});

it('drops by seed while training and not else', () => {
  zoo.using(spotfake, (network, batch) => {
    expect(zoo.logits(network, batch, 1)).toEqual(zoo.logits(network, batch, 1));
    expect(zoo.logits(network, batch, 1)).not.toEqual(zoo.logits(network, batch, 2));
    expect(zoo.logits(network, batch)).not.toEqual(zoo.logits(network, batch, 1));
  });
});
