/** Which share of the new weights a round keeps, on answers made for it. */
import { describe, expect, it } from 'vitest';
import { createScale, decide, fits, type Weighed } from '../../../src/sidecar/weigh.ts';

const POSTS = 3_000;
const labels = Array.from({ length: POSTS }, (_, i) => i % 2);
/** Right on all posts but those. */
const answers = (isWrong: (i: number) => boolean): boolean[] =>
  labels.map((label, i) => (label === 1) !== isWrong(i));
const champion = { clean: answers((i) => i % 10 < 2), attacked: answers((i) => i % 10 < 6) };
const scale = createScale(labels, champion);

describe('the scale', () => {
  it('finds no loss where no answer changes, and asks for proof where many do', () => {
    const same = scale.clean(0.5, champion.clean);
    expect([same.clean, same.surely, same.recall]).toEqual([0, 0, 0]);
    expect(fits(same)).toBe(true);
    // As many right answers, on other posts: equal skill that may be a loss by chance.
    const other = scale.clean(
      0.5,
      answers((i) => i % 10 === 4 || i % 10 === 5),
    );
    expect(other.clean).toBeCloseTo(0, 5);
    expect(other.surely).toBeLessThan(-0.01);
    expect(fits(other)).toBe(false);
  });

  it('does not let one class pay for the other', () => {
    const shifted = scale.clean(
      1,
      answers((i) => (labels[i] === 1 ? i % 10 === 1 && i % 100 < 50 : i % 10 === 0 || i % 40 === 2)),
    );
    expect(shifted.surely).toBeGreaterThan(-0.005);
    expect(shifted.recall).toBeLessThan(-0.01);
    expect(fits(shifted)).toBe(false);
  });

  it('says how much is surely won under attack', () => {
    const { attacked } = scale.attacked(
      scale.clean(1, champion.clean),
      answers((i) => i % 10 < 5),
    );
    expect(attacked?.gain).toBeCloseTo(0.1, 5);
    expect(attacked?.surely).toBeGreaterThan(0.05);
    expect(attacked?.surely).toBeLessThan(0.1);
  });
});

describe('the decision', () => {
  const step = (share: number, surely: number, gain: number | null): Weighed => ({
    share,
    clean: surely + 0.003,
    surely,
    recall: 0,
    attacked: gain === null ? null : { gain, surely: gain - 0.02 },
  });

  it('takes the most robust share of those that surely cost little', () => {
    const steps = [
      step(1, -0.02, null),
      step(0.6, -0.004, 0.07),
      step(0.5, -0.003, 0.09),
      step(0.1, 0, 0.01),
    ];
    expect(decide(steps, false)).toMatchObject({ share: 0.5, refused: null });
    // One that fits beyond a share that does not is luck.
    expect(decide([step(1, -0.004, 0.2), step(0.8, -0.006, null), ...steps.slice(1)], false)).toMatchObject({
      share: 0.5,
    });
  });

  it('does not trouble the gate with a model that loses, nor with one that wins too little', () => {
    expect(decide([step(1, -0.02, null)], false)).toMatchObject({
      share: 0,
      refused: expect.stringContaining('lose too much'),
    });
    expect(decide([step(0.1, 0, 0.03)], false)).toMatchObject({
      share: 0.1,
      refused: expect.stringContaining('gains too little'),
    });
    expect(decide([step(0.1, 0, -0.01)], true)).toMatchObject({ share: 0.1, refused: null });
  });
});
