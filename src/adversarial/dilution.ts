/**
 * Cross-modal dilution (Verma et al. 2022): a short true-sounding sentence is put before the post that adds nothing to
 * it. Of the sentences given, each post gets the one that harms most.
 */
import type { TextAttack } from './text-edit.ts';

/** Descriptions that fit almost any picture; written for this project. At most eight words each. */
export const CAPTIONS: readonly string[] = [
  'a photo taken outside during the day',
  'people are standing next to a building',
  'a view of the street from above',
  'a picture of a car near a tree',
  'the sky over the city this afternoon',
  'a group of friends on the road',
  'an image shared by a local resident',
  'a close look at some old houses',
  'water and trees in the background',
  'a man holding a phone and smiling',
];

export const dilution = (sentences: readonly string[] = CAPTIONS): TextAttack => ({
  name: 'dilution',
  source: 'Verma et al. 2022, cross-modal content dilution, from a fixed list of captions',
  needs: 'logits',
  *edit(texts) {
    const worst = [...texts];
    const highest = (yield texts).slice();
    for (const sentence of sentences) {
      const tried = texts.map((text) => `${sentence} ${text}`);
      const losses = yield tried;
      tried.forEach((text, i) => {
        if ((losses[i] as number) <= (highest[i] as number)) return;
        highest[i] = losses[i] as number;
        worst[i] = text;
      });
    }
    return { texts: worst, queries: texts.map(() => sentences.length + 1) };
  },
});
