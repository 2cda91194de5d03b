/** Several attacks one after the other on the same posts: both modalities at once, as MMAT attacks MMN (§III-B). */
import type { Attack, Audit } from './attack.ts';

/** @param parts in this order; each sees the posts as the one before left them */
export function joint(name: string, parts: readonly Attack[]): Attack {
  return {
    name,
    source: parts.map((part) => part.source).join('; then '),
    modality: 'both',
    needs: parts.some(({ needs }) => needs === 'gradient') ? 'gradient' : 'logits',
    generate(victim, posts, random) {
      let now = posts;
      let audit: readonly Audit[] = posts.texts.map(() => ({
        swaps: [],
        text: null,
        picture: null,
        queries: 0,
      }));
      for (const part of parts) {
        const crafted = part.generate(victim, now, random);
        now = crafted.posts;
        audit = audit.map((before, i) => together(before, crafted.audit[i] as Audit));
      }
      return { posts: now, audit };
    },
  };
}

function together(a: Audit, b: Audit): Audit {
  return {
    swaps: [...a.swaps, ...b.swaps],
    text: b.text ?? a.text,
    picture: b.picture ?? a.picture,
    queries: a.queries + b.queries,
  };
}
