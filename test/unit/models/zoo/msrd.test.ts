/** MSRD: a draw by seed while training, the mean else; a divergence that is zero for the standard Gaussian. */
import { expect, it } from 'vitest';
import { msrd } from '../../../../src/models/zoo/msrd.ts';
import { zooOnWasm } from '../../../support/zoo-on-wasm.ts';

const zoo = zooOnWasm();

it('draws by seed while training and not else', () => {
  zoo.using(msrd, (network, batch) => {
    expect(zoo.logits(network, batch, 1)).toEqual(zoo.logits(network, batch, 1));
    expect(zoo.logits(network, batch, 1)).not.toEqual(zoo.logits(network, batch, 2));
    expect(zoo.logits(network, batch)).toEqual(zoo.logits(network, batch));
  });
});

it('adds a tenth of the divergence, which is zero when every post is the standard Gaussian', () => {
  zoo.using(msrd, (network, batch) => {
    const { tf } = zoo;
    const loss = (): number =>
      network
        .auxiliaryLoss?.(batch, tf.zeros([8, 1]), { seed: 1, done: 0, total: 1 })
        .dataSync()[0] as number;
    expect(loss()).toBeGreaterThan(0);
    for (const name of ['mean', 'log_variance']) {
      const layer = network.layers.getLayer(name);
      layer.setWeights(layer.getWeights().map((weight) => tf.zerosLike(weight)));
    }
    expect(loss()).toBe(0);
    const mean = network.layers.getLayer('mean');
    mean.setWeights([tf.zeros([64, 64]), tf.ones([64])]); // one deviation off in 64 dimensions: 32 nats
    expect(loss()).toBeCloseTo(3.2, 5);
  });
});

it('leaves room for text inside the picture and its flag', () => {
  zoo.using(msrd, (network) => {
    expect(network.layers.getLayer('fusion').getWeights()[0]?.shape).toEqual([32 + 32 + 1 + 32, 64]);
  });
});
