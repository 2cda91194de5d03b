import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDecodeStage } from '../../../src/ingest/decode.ts';
import {
  codec,
  createLabelHarness,
  input,
  type LabelHarness,
  post,
  temporaryGuards,
} from '../../support/label-harness.ts';

describe('the crash guard', () => {
  let guards: ReturnType<typeof temporaryGuards>;
  beforeEach(() => {
    guards = temporaryGuards();
  });
  afterEach(() => guards.remove());

  it('finds nothing after a clean stop', () => {
    guards.open(1).close();
    expect(guards.open(2).unclean).toBe(false);
  });

  it('finds a killed worker, its own pid of an earlier life included, but not a living one', () => {
    guards.open(1);
    expect(guards.open(2, () => true).unclean).toBe(false);
    expect(guards.open(3, (pid) => pid === 2).unclean).toBe(true);
    expect(guards.open(3, (pid) => pid === 2 || pid === 3).unclean).toBe(true);
  });

  it('counts the kills of a record that was alone, over several lives', () => {
    guards.open(1).enter(7n);
    const second = guards.open(2);
    expect(second.killsOf(7n)).toBe(1);
    second.enter(7n);
    const third = guards.open(3);
    expect([third.killsOf(7n), third.killsOf(8n)]).toEqual([2, 0]);
  });

  it('blames no record for a death between records', () => {
    const first = guards.open(1);
    first.enter(7n);
    first.leave();
    const second = guards.open(2);
    expect([second.unclean, second.killsOf(7n)]).toEqual([true, 0]);
  });

  it('buries what kills again and again and works on, while its neighbours are labelled', async () => {
    const decode = createDecodeStage(codec, 6);
    /** A worker that dies when it meets the killer: what it did not commit is lost, its mark stays. */
    const life = (pid: number): LabelHarness =>
      createLabelHarness({
        guard: { ...guards.open(pid), close: () => {} },
        stages: {
          decode: {
            name: 'decode',
            process: (batch, signal) => {
              if (batch.some((record) => record.key === 'killer')) throw new Error('killed');
              return decode.process(batch, signal);
            },
          },
        },
      });
    const records = ['a', 'killer', 'b'].map((id) => input(post(id)));
    for (const pid of [1, 2, 3, 4]) await expect(life(pid).run(...records)).rejects.toThrow('killed');
    const survivor = life(5);
    const outputs = await survivor.run(...records);
    expect(outputs.dead.map((dead) => [dead.reason, dead.offset])).toEqual([['kills_worker', 1]]);
    expect(outputs.labels.map((label) => label.postId)).toEqual(['a', 'b']);
    expect(survivor.ledger()).toMatchObject({ received: 3, labelled: 2, dead: 1 });
  });
});
