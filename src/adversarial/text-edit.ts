/**
 * Attacks on texts alone: they ask what other texts cost and never see how a model reads them. What it reads follows
 * through the product's own normaliser, and its tokeniser or its frozen encoders.
 */
import { MAX_WORDS } from '../models/words.ts';
import type { Attack, Audit, Crafted, Posts, Victim } from './attack.ts';

/** What happens to a text between its author and the model; attacks on texts must survive it. */
export type Normalise = (text: string) => string;

export interface TextAttack {
  readonly name: string;
  readonly source: string;
  readonly needs: 'nothing' | 'logits';
  /** Yields texts, one per post, and is told the loss of each. [count] */
  edit(texts: readonly string[]): Generator<readonly string[], Edited, Float32Array>;
}

export interface Edited {
  readonly texts: readonly string[];
  /** Times that each post was asked about. */
  readonly queries: readonly number[];
}

/** The attack on models that read words by their vectors. */
export function onWords(attack: TextAttack, normalise: Normalise): Attack {
  return {
    ...factsOf(attack),
    generate(victim, posts) {
      const asked = attack.edit(posts.texts);
      let step = asked.next();
      while (!step.done) step = asked.next(victim.losses(withTexts(victim, posts, step.value, normalise)));
      return crafted(withTexts(victim, posts, step.value.texts, normalise), step.value);
    },
  };
}

/** The posts with other texts, already normalised, as a network reads them. */
export type Reread = (posts: Posts, texts: readonly string[]) => Promise<Posts>;

/** The attack on models that read texts through frozen encoders: every text that is asked about passes them. */
export function throughEncoders(
  attack: TextAttack,
  normalise: Normalise,
  reread: Reread,
): Attack<Promise<Crafted>> {
  return {
    ...factsOf(attack),
    async generate(victim, posts) {
      const read = async (texts: readonly string[]): Promise<Posts> => ({
        ...(await reread(posts, texts.map(normalise))),
        texts,
      });
      const asked = attack.edit(posts.texts);
      let step = asked.next();
      while (!step.done) step = asked.next(victim.losses(await read(step.value)));
      return crafted(await read(step.value.texts), step.value);
    },
  };
}

const factsOf = ({ name, source, needs }: TextAttack): Omit<Attack, 'generate'> => ({
  name,
  source,
  modality: 'text',
  needs,
});

const crafted = (posts: Posts, { texts, queries }: Edited): Crafted => ({
  posts,
  audit: texts.map((text, i): Audit => ({ swaps: [], text, picture: null, queries: queries[i] as number })),
});

/** The posts with these texts in place of their own. */
function withTexts(victim: Victim, posts: Posts, texts: readonly string[], normalise: Normalise): Posts {
  const words = new Int32Array(posts.words.length);
  texts.forEach((text, i) => {
    words.set(victim.encode(normalise(text)), i * MAX_WORDS);
  });
  return { ...posts, texts, words };
}
