import { describe, expect, it } from 'vitest';
import { TocsinError } from '../../../src/base/errors.ts';
import { labelConsumption } from '../../../src/cli/label-worker.ts';
import { FENCE_ENTRY, fenceOf } from '../../../src/pipeline/fence.ts';
import {
  createLabelHarness,
  input,
  type LabelHarness,
  post,
  steadyModels,
  tinyScorers,
} from '../../support/label-harness.ts';

/** A task whose models are of the sequence that was set last. */
function swappable(): LabelHarness & { sequence: number } {
  const harness = createLabelHarness({
    models: {
      reach: async () => {},
      lease: () => steadyModels(tinyScorers, swapped.sequence).lease(),
    },
  });
  const swapped = Object.assign(harness, { sequence: 0 });
  return swapped;
}

describe('the fence of a partition', () => {
  it('is the sequence of its slices, in their transactions; every label of a slice names it', async () => {
    const harness = swappable();
    await harness.run(input(post('a')));
    expect(harness.state.has(FENCE_ENTRY)).toBe(false); // the shipped models need none
    harness.sequence = 5;
    const { labels } = await harness.run(input(post('b')), input(post('c')));
    expect(labels.map(({ modelSequence }) => modelSequence)).toEqual([5, 5]);
    expect(fenceOf(harness.state)).toBe(5);
    harness.sequence = 6;
    await harness.fail(input(post('d')));
    expect(fenceOf(harness.state)).toBe(5); // the slice was not committed
  });

  it('refuses models that are older than those of the last owner', async () => {
    const harness = swappable();
    harness.sequence = 5;
    await harness.run(input(post('a')));
    await harness.reopen();
    harness.sequence = 4;
    await expect(harness.run(input(post('b')))).rejects.toMatchObject({ code: 'MODELS_BEHIND' });
    await harness.reopen();
    harness.sequence = 5;
    expect((await harness.run(input(post('b')))).labels).toHaveLength(1);
  });

  it('is waited for before a partition is taken over', async () => {
    const asked: number[] = [];
    const late = async (sequence: number): Promise<never> => {
      asked.push(sequence);
      throw new TocsinError('MODELS_BEHIND', 'not yet');
    };
    const consumption = labelConsumption({ settings: {}, models: { reach: late } } as never, 6);
    const state = new Map([[FENCE_ENTRY, Buffer.from([0, 0, 0, 0, 0, 0, 0, 5])]]);
    await expect(
      consumption.open({ topic: 'any', partition: 0 }, { upto: 0n, entries: state }),
    ).rejects.toMatchObject({ code: 'MODELS_BEHIND' });
    expect(asked).toEqual([5]);
  });

  it('is not guessed where the state is torn', () => {
    expect(() => fenceOf(new Map([[FENCE_ENTRY, Buffer.from('5')]]))).toThrow(/torn/);
  });
});
