/**
 * Cross-modal dilution (Verma et al. 2022): a short true-sounding sentence is put before the post that adds nothing to
 * it. Of the sentences given, each post gets the one that harms most.
 */
import type { Attack, Audit } from './attack.ts';
import { type Normalise, withTexts } from './text-edit.ts';

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

export function dilution(normalise: Normalise, sentences: readonly string[] = CAPTIONS): Attack {
  return {
    name: 'dilution',
    source: 'Verma et al. 2022, cross-modal content dilution, from a fixed list of captions',
    modality: 'text',
    needs: 'logits',
    generate(victim, posts) {
      const worst = [...posts.texts];
      const highest = victim.losses(posts).slice();
      for (const sentence of sentences) {
        const texts = posts.texts.map((text) => `${sentence} ${text}`);
        const losses = victim.losses(withTexts(victim, posts, texts, normalise));
        texts.forEach((text, i) => {
          if ((losses[i] as number) <= (highest[i] as number)) return;
          highest[i] = losses[i] as number;
          worst[i] = text;
        });
      }
      return {
        posts: withTexts(victim, posts, worst, normalise),
        audit: worst.map(
          (text): Audit => ({ swaps: [], text, picture: null, queries: sentences.length + 1 }),
        ),
      };
    },
  };
}
