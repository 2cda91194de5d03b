/** What an answer from text and picture stands on. */
import { describe, expect, it } from 'vitest';
import { type Shared, shareEvidence, textShare } from '../../../src/event/shares.ts';

const score = (probability: number | null, text: number | null, image: number | null): Shared => ({
  probability,
  byModality: { text, image },
});

describe("the text's share", () => {
  it('is what the log-odds move without the text, of what they move without either', () => {
    // 2.197 fall to 0 without the text and to 1.386 without the picture: 2.197 of 3.008.
    expect(textShare(score(0.9, 0.8, 0.5))).toBeCloseTo(0.73, 3);
    expect(textShare(score(0.9, 0.9, 0.5))).toBe(1);
    expect(textShare(score(1, 1, 0.5))).toBe(1);
  });

  it('is all or nothing where one modality counts, and null where there is nothing to share', () => {
    expect(textShare(score(0.9, 0.9, null))).toBe(1);
    expect(textShare(score(0.9, null, 0.9))).toBe(0);
    expect(textShare(score(0.5, 0.5, 0.5))).toBeNull();
    expect(textShare(score(null, null, null))).toBeNull();
  });

  it('is told of a yes or a no that stands on both, and of nothing else', () => {
    const thresholds = { yes: 0.7, no: 0.3 };
    expect(shareEvidence(score(0.7, 0.5, 0.7), thresholds)).toEqual(['text_share:0']);
    expect(shareEvidence(score(0.1, 0.2, 0.5), thresholds)).toEqual(['text_share:73']);
    expect(shareEvidence(score(0.5, 0.2, 0.9), thresholds)).toEqual([]);
    expect(shareEvidence(score(0.9, 0.9, null), thresholds)).toEqual([]);
    expect(shareEvidence(score(0.9, 0.9, 0.9), thresholds)).toEqual([]);
  });
});
