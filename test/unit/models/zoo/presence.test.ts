/** An absent modality: whatever stands in its columns, the answer is the same, and the other modality still counts. */
import { describe, expect, it } from 'vitest';
import { attRnn } from '../../../../src/models/zoo/att-rnn.ts';
import { cafeLite } from '../../../../src/models/zoo/cafe-lite.ts';
import type { Architecture, Batch, Column } from '../../../../src/models/zoo/contract.ts';
import { eann } from '../../../../src/models/zoo/eann.ts';
import { mafn } from '../../../../src/models/zoo/mafn.ts';
import { msrd } from '../../../../src/models/zoo/msrd.ts';
import { mvae } from '../../../../src/models/zoo/mvae.ts';
import { neuraltalk } from '../../../../src/models/zoo/neuraltalk.ts';
import { ofli2020 } from '../../../../src/models/zoo/ofli2020.ts';
import { spotfake } from '../../../../src/models/zoo/spotfake.ts';
import { sseCross } from '../../../../src/models/zoo/sse-cross.ts';
import { vqa } from '../../../../src/models/zoo/vqa.ts';
import { zooOnWasm } from '../../../support/zoo-on-wasm.ts';

const zoo = zooOnWasm();
const COLUMNS_OF = {
  text: ['words', 'sentence', 'tokens', 'entities'],
  image: ['imageLogits', 'imageFeatures'],
} as const;

/** The batch with other values in the columns of a modality. */
const altered = (batch: Batch, columns: readonly Column[]): Batch =>
  Object.fromEntries(
    Object.entries(batch).map(([name, x]) => [
      name,
      columns.includes(name as Column) ? zoo.tf.add(zoo.tf.mul(x, -3), 0.25) : x,
    ]),
  );

const rows = [
  neuraltalk,
  vqa,
  attRnn,
  msrd,
  eann,
  mvae,
  mafn,
  spotfake,
  ofli2020,
  cafeLite,
  sseCross,
] as const;
describe.each(rows.map((row) => [row.name, row as unknown as Architecture] as const))('%s', (name, row) => {
  it.each([
    ['text', [0, 1]],
    ['image', [1, 0]],
  ] as const)('does not look at an absent %s', (absent, present) => {
    zoo.using(row, (network, batch) => {
      const alone = { ...batch, present: zoo.tf.tensor2d(Array.from({ length: 8 }, () => [...present])) };
      const logits = zoo.logits(network, alone);
      expect(zoo.logits(network, altered(alone, COLUMNS_OF[absent]))).toEqual(logits);
      // VQA multiplies, and att-RNN sees the picture through the words alone.
      if (name === 'vqa' || (name === 'att-rnn' && absent === 'text')) return;
      expect(
        zoo.logits(network, altered(alone, COLUMNS_OF[absent === 'text' ? 'image' : 'text'])),
      ).not.toEqual(logits);
    });
  });
});
