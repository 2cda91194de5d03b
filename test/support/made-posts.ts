/** Posts made of words, for rounds of the sidecar: what a person would rule on them is known. */
import { writeFileSync } from 'node:fs';
import { type Random, seededRandom } from '../../src/base/random.ts';

const WORDS = {
  1: 'flood water rising bridge closed road rescue boat families trapped roof evacuate shelter injured missing river levee hospital supplies warning'.split(
    ' ',
  ),
  0: 'coffee song game love tonight cat dinner birthday movie happy weekend team goal pizza shopping holiday music party dance photo'.split(
    ' ',
  ),
} as const;
/** Words of news that the small talk here is fond of: the shipped champion takes it for news, and a round can learn better. */
const LOUD =
  'fire storm earthquake disaster explosion bomb attack killed dead victims crash burning damage emergency police tsunami hurricane tornado wildfire casualties'.split(
    ' ',
  );

const pick = (words: readonly string[], random: Random): string =>
  words[Math.floor(random() * words.length)] as string;

/**
 * Three in ten are in a language of which the model knows every third word, so that a round does not forget how to read such.
 * @param label what a person would rule
 * @param loud share of the words of small talk that sound like news
 */
export function madeText(label: 0 | 1, random: Random, loud = 0.25): string {
  const isForeign = random() < 0.3;
  return Array.from({ length: 9 }, (_, i) => {
    if (isForeign && i % 3 > 0) return `qx${Math.floor(random() * 1e6).toString(36)}`;
    if (label === 0 && random() < loud) return pick(LOUD, random);
    return pick(WORDS[random() < 0.8 ? label : ((1 - label) as 0 | 1)], random);
  }).join(' ');
}

/**
 * News in the words of small talk, as of an attack on a concert: the shipped champion knows it for news, and a round on made posts, where such
 * words together are small talk, unlearns it.
 */
export const madeOutbreak = (random: Random): string =>
  Array.from({ length: 9 }, (_, i) => pick(i % 3 === 0 ? WORDS[0] : LOUD, random)).join(' ');

/** A collection of them, as many of either label, in a file that a reader of labelled posts knows. */
export function writeMadePosts(path: string, count: number, seed: number): void {
  const random = seededRandom(seed);
  const lines = Array.from({ length: count }, (_, i) => {
    const label = (i % 2) as 0 | 1;
    return JSON.stringify({
      id: `made-${seed}-${i}`,
      text: madeText(label, random),
      createdAt: new Date(1_700_000_000_000 + i * 60_000).toISOString(),
      collection: 'made',
      language: 'en',
      labels: { informative: label === 1 },
    });
  });
  writeFileSync(path, `${lines.join('\n')}\n`);
}
