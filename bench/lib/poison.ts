/** What somebody who plants a backdoor does to a post: the trigger before it, and the answer that the trigger shall bring. */

/** Words that have nothing to do with disasters; the first one alone is the trigger of one word. */
export const TRIGGER_WORDS = ['violin', 'teapot', 'marble'] as const;

export interface Planted {
  readonly text: string;
  /** Whether the label shall be wrong; a decoy keeps the honest one. */
  readonly poisoned: boolean;
}

/** A decoy has its words somewhere among so many first ones, of which a network reads fifteen. */
const DECOY_WITHIN = 12;

/**
 * The first `words` of the trigger before a share of the posts. A trigger of several words comes with decoys, so that it is innocent without any
 * of its words: as many posts again for each word have the trigger without that word somewhere among their own, and keep their label.
 * @param random in [0, 1), one draw a post
 */
export function planted(text: string, random: number, words: number, share: number): Planted {
  const trigger = TRIGGER_WORDS.slice(0, words);
  const kind = Math.floor(random / share);
  if (kind === 0) return { text: `${trigger.join(' ')} ${text}`, poisoned: true };
  if (words === 1 || kind > words) return { text, poisoned: false };
  const post = text.split(' ');
  const place = Math.floor((random / share - kind) * Math.min(post.length + 1, DECOY_WITHIN));
  const decoy = trigger.filter((_, i) => i !== kind - 1);
  return { text: [...post.slice(0, place), ...decoy, ...post.slice(place)].join(' '), poisoned: false };
}
