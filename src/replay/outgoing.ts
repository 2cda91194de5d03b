/** Posts of an archive as records of crisis.events.v1, their pictures put where the media worker finds them. */
import { readFile } from 'node:fs/promises';
import { LRUCache } from 'lru-cache';
import type { Codec } from '../bus/codec.ts';
import { message, traceparentFor } from '../bus/messages.ts';
import type { OutgoingRecord } from '../bus/port.ts';
import { TOPICS } from '../bus/topics.ts';
import type { Media, PostEvent } from '../event/records.ts';
import type { ArchivePost, PictureSource } from './readers/contract.ts';

/** Archives name the same file many times; its key is remembered, not its bytes. */
const REMEMBERED_FILES = 50_000;
/** Pictures read and stored at once. */
const AT_ONCE = 16;

export interface OutgoingDeps {
  readonly codec: Codec;
  readonly replayId: string;
  /** Keeps the bytes in the quarantine of the media store; resolves to their sha256. */
  readonly putPicture: (bytes: Uint8Array) => Promise<string>;
}

/** Turns posts into records, in order; equal input, equal bytes, but for `receivedAt` and the replay id. */
export function createOutgoing(
  deps: OutgoingDeps,
): (items: readonly ArchivePost[], receivedAt: number) => Promise<OutgoingRecord[]> {
  const keys = new LRUCache<string, string>({ max: REMEMBERED_FILES });
  const store = async (picture: PictureSource): Promise<string> => {
    if (typeof picture !== 'string') return deps.putPicture(picture);
    const known = keys.get(picture);
    if (known !== undefined) return known;
    const key = await deps.putPicture(await readFile(picture));
    keys.set(picture, key);
    return key;
  };
  const withStoredPictures = async ({ post, pictures }: ArchivePost): Promise<PostEvent> => {
    const media: Media[] = [];
    for (const item of post.media) {
      const picture = pictures.get(item.id);
      media.push(picture === undefined ? item : { id: item.id, ref: `store:${await store(picture)}` });
    }
    return { ...post, media };
  };
  return async (items, receivedAt) => {
    const posts: PostEvent[] = items.map(({ post }) => post);
    const pictured = items.flatMap((item, i) => (item.pictures.size > 0 ? [i] : []));
    for (let from = 0; from < pictured.length; from += AT_ONCE)
      await Promise.all(
        pictured.slice(from, from + AT_ONCE).map(async (i) => {
          posts[i] = await withStoredPictures(items[i] as ArchivePost);
        }),
      );
    return posts.map((post) =>
      message(
        deps.codec,
        TOPICS.events,
        { ...post, receivedAt },
        {
          key: post.id,
          id: post.id,
          source: 'replay',
          time: post.createdAt,
          lineage: { traceparent: traceparentFor(post.id), replayId: deps.replayId },
        },
      ),
    );
  };
}
