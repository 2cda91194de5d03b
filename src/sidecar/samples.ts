/** Human rulings and the posts they cover → training samples, each with what it rests on. */
import { INFORMATIVE, isLater, standing } from '../event/standing.ts';
import type { Buffer, KeptRuling, RuledPost } from './buffer.ts';

/** A post with the label that people gave it. */
export interface HumanSample {
  readonly post: RuledPost;
  readonly label: 0 | 1;
  /** How many different people said so. */
  readonly people: number;
  /** Whether others said the contrary. */
  readonly disputed: boolean;
  /** When the last of them ruled, ms. */
  readonly at: number;
}

/** One sample for each post that is known and ruled on, the newest first. A person's last standing word counts. */
export function samplesOf({ rulings, posts }: Pick<Buffer, 'rulings' | 'posts'>): HumanSample[] {
  const words = new Map<string, Map<string, KeptRuling>>();
  for (const ruling of standing(rulings().values())) {
    if (INFORMATIVE[ruling.ruling] === undefined) continue;
    for (const id of ruling.postIds) {
      const byPerson = words.get(id) ?? new Map<string, KeptRuling>();
      words.set(id, byPerson);
      const before = byPerson.get(ruling.by);
      if (!before || isLater(ruling, before)) byPerson.set(ruling.by, ruling);
    }
  }
  const samples: HumanSample[] = [];
  for (const [id, byPerson] of words) {
    const post = posts().get(id);
    if (!post) continue;
    const said = [...byPerson.values()].sort((a, b) => (isLater(a, b) ? -1 : 1));
    const last = said[0] as KeptRuling;
    const agreeing = said.filter(({ ruling }) => ruling === last.ruling).length;
    samples.push({
      post,
      label: INFORMATIVE[last.ruling] as 0 | 1,
      people: agreeing,
      disputed: agreeing < said.length,
      at: last.at,
    });
  }
  return samples.sort((a, b) => b.at - a.at || (a.post.id < b.post.id ? -1 : 1));
}
