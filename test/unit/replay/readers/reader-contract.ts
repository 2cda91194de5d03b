/** What every archive reader must do, whatever it reads. Run on the fixtures and, where they are, on the real sets. */
import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { type Clock, systemClock } from '../../../../src/base/clock.ts';
import { createCodec } from '../../../../src/bus/codec.ts';
import type { Media, PostEvent } from '../../../../src/event/records.ts';
import type { Archive, ArchivePost, ArchiveReader } from '../../../../src/replay/readers/contract.ts';
import { openArchive, READERS } from '../../../../src/replay/readers/open-archive.ts';

export const deps: {
  readonly clock: Clock;
  readonly hashAuthor: (source: string, author: string) => string;
} = {
  clock: systemClock,
  hashAuthor: (source: string, author: string): string => `hash(${source},${author})`,
};

export interface Expected {
  readonly posts: number;
  readonly pictures: number;
  readonly unreadable: Readonly<Record<string, number>>;
  readonly pictureProblems: Readonly<Record<string, number>>;
}

export async function itemsOf(archive: Archive): Promise<ArchivePost[]> {
  const items: ArchivePost[] = [];
  for await (const item of archive.items()) items.push(item);
  return items;
}

/** Registers the tests of the contract for one archive. */
export function readerContract(reader: ArchiveReader, path: string, expected: Expected): void {
  it('is the one reader that knows the archive', async () => {
    const knowing: string[] = [];
    for (const candidate of READERS) if (await candidate.detect(path)) knowing.push(candidate.name);
    expect(knowing).toEqual([reader.name]);
    expect((await openArchive(path, deps)).reader).toBe(reader.name);
  });

  it('counts posts, unreadable rows and pictures that were left out', async () => {
    const archive = await reader.open(path, deps);
    const items = await itemsOf(archive);
    expect({
      posts: archive.posts,
      pictures: items.reduce((sum, { post }) => sum + post.media.length, 0),
      unreadable: Object.fromEntries(archive.unreadable),
      pictureProblems: Object.fromEntries(archive.pictureProblems),
    }).toEqual(expected);
    expect(items).toHaveLength(archive.posts);
  });

  it('gives posts in event-time order inside its span, the same ones each time', async () => {
    const archive = await reader.open(path, deps);
    const items = await itemsOf(archive);
    const times = items.map(({ post }) => post.createdAt);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(archive.span).toEqual({ from: times[0], to: times.at(-1) });
    const withoutArrival = (list: readonly ArchivePost[]): unknown[] =>
      list.map(({ post, pictures }) => [{ ...post, receivedAt: 0 }, [...pictures]]);
    expect(withoutArrival(await itemsOf(archive))).toEqual(withoutArrival(items));
  });

  it('gives posts that the codec takes, with pictures that are there', async () => {
    const codec = createCodec();
    const survives = (post: PostEvent): boolean => {
      const bytes = codec.encode(post);
      const back = codec.decode(bytes) as PostEvent;
      return (
        Buffer.compare(codec.encode(back), bytes) === 0 && back.id === post.id && back.text === post.text
      );
    };
    const wrong: string[] = [];
    for (const { post, pictures } of await itemsOf(await reader.open(path, deps))) {
      const isReachable = ({ id, ref }: Media): boolean => {
        const picture = pictures.get(id);
        return ref.startsWith('archive:')
          ? typeof picture === 'string' && existsSync(picture)
          : /^https?:\/\//.test(ref);
      };
      const isFine =
        survives(post) &&
        new Set(post.media.map(({ id }) => id)).size === post.media.length &&
        post.media.every(isReachable);
      if (!isFine) wrong.push(post.id);
    }
    expect(wrong).toEqual([]);
  });
}
