/**
 * What people have ruled and the posts that they ruled on, kept in the data directory: the sidecar's only memory of
 * labels. JSON lines, appended and flushed; a line that a kill has torn is cut off at the next start. Everything else
 * (samples.ts, hygiene.ts) follows from it.
 */
import { mkdir, open, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { Feedback } from '../event/records.ts';
import { readWholeLines } from './whole-lines.ts';

/** A post as its label brought it. */
export interface RuledPost {
  readonly id: string;
  /** Normalised. */
  readonly text: string;
  /** HMAC; null where the source does not say. */
  readonly author: string | null;
  readonly source: string;
  readonly collection: string;
  readonly language: string;
  /** Event time in ms. */
  readonly createdAt: number;
}

/** A ruling as the claim worker applied it. */
export type KeptRuling = Pick<Feedback, 'rulingId' | 'postIds' | 'ruling' | 'by' | 'at' | 'undoes'>;

export interface Buffer {
  /** In the order in which they came first. */
  rulings(): ReadonlyMap<string, KeptRuling>;
  posts(): ReadonlyMap<string, RuledPost>;
  /** Remembers what it does not know yet; durable against the death of the process when it resolves. */
  add(more: {
    readonly rulings?: readonly KeptRuling[];
    readonly posts?: readonly RuledPost[];
  }): Promise<void>;
  close(): Promise<void>;
}

const postSchema: z.ZodType<RuledPost> = z.object({
  id: z.string(),
  text: z.string(),
  author: z.string().nullable(),
  source: z.string(),
  collection: z.string(),
  language: z.string(),
  createdAt: z.number(),
});
const rulingSchema: z.ZodType<KeptRuling> = z.object({
  rulingId: z.string(),
  postIds: z.array(z.string()),
  ruling: z.enum(['true', 'false', 'unclear', 'informative', 'not_informative']),
  by: z.string(),
  at: z.number(),
  undoes: z.string().nullable(),
});
const lineSchema = z.union([z.object({ post: postSchema }), z.object({ ruling: rulingSchema })]);
type Line = z.infer<typeof lineSchema>;

/**
 * Opens the buffer in a file. Of more than `limit` rulings or posts the oldest leave.
 */
export async function openBuffer(path: string, limit: number): Promise<Buffer> {
  await mkdir(dirname(path), { recursive: true });
  const rulings = new Map<string, KeptRuling>();
  const posts = new Map<string, RuledPost>();
  const take = (line: Line): void => {
    if ('post' in line) posts.set(line.post.id, line.post);
    else rulings.set(line.ruling.rulingId, line.ruling);
    forgetOldest(rulings, limit);
    forgetOldest(posts, limit);
  };
  const lines = (await readWholeLines(path)).map((line) => lineSchema.parse(line));
  for (const line of lines) take(line);
  if (lines.length > 2 * (rulings.size + posts.size)) await rewrite(path, rulings, posts);
  const file = await open(path, 'a');
  return {
    rulings: () => rulings,
    posts: () => posts,
    async add(more) {
      const fresh: Line[] = [
        ...(more.posts ?? []).filter(({ id }) => !posts.has(id)).map((post) => ({ post })),
        ...(more.rulings ?? []).filter((ruling) => isNews(rulings, ruling)).map((ruling) => ({ ruling })),
      ];
      if (fresh.length === 0) return;
      await file.appendFile(fresh.map((line) => `${JSON.stringify(line)}\n`).join(''));
      await file.datasync();
      for (const line of fresh) take(line);
    },
    close: () => file.close(),
  };
}

/** A claim's ruling comes again with more posts when the claim has grown. */
const isNews = (known: ReadonlyMap<string, KeptRuling>, { rulingId, postIds }: KeptRuling): boolean =>
  (known.get(rulingId)?.postIds.length ?? -1) < postIds.length;

function forgetOldest(entries: Map<string, unknown>, limit: number): void {
  const [oldest] = entries.keys();
  if (entries.size > limit && oldest !== undefined) entries.delete(oldest);
}

async function rewrite(
  path: string,
  rulings: ReadonlyMap<string, KeptRuling>,
  posts: ReadonlyMap<string, RuledPost>,
): Promise<void> {
  const lines: Line[] = [
    ...[...posts.values()].map((post) => ({ post })),
    ...[...rulings.values()].map((ruling) => ({ ruling })),
  ];
  await writeFile(`${path}.new`, lines.map((line) => `${JSON.stringify(line)}\n`).join(''), { flush: true });
  await rename(`${path}.new`, path);
}
