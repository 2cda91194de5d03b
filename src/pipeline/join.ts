/**
 * Join memory for sources that send pictures apart from their posts: posts that wait for pictures and pictures
 * that wait for their post, for a window of event time and up to a number of entries. Other sources never touch it.
 */
import { createHash } from 'node:crypto';
import { TocsinError } from '../base/errors.ts';
import type { Transaction } from '../bus/port.ts';
import type { MediaContext, PictureEvent } from '../event/records.ts';
import type { Watermarks } from './watermarks.ts';

export const JOIN_PREFIX: string = 'join/';

/** A picture event that waits, with what its label will need to know of its coming. */
export interface WaitingPicture {
  readonly event: PictureEvent;
  readonly receivedAt: number;
  readonly traceparent: string | null;
  readonly replayId: string | null;
}

interface Entry {
  /** Grows with every entry; keeps the order over a restart. */
  readonly order: number;
  readonly postId: string;
  readonly collection: string;
  readonly createdAt: number;
  /** Null while only pictures are here; `revision` is the number of the post's next label. */
  readonly post: MediaContext | null;
  readonly pictures: readonly WaitingPicture[];
}

export interface JoinOptions {
  readonly windowMs: number;
  /** Posts and waiting groups of pictures kept at most; above it the oldest go before their time. */
  readonly maxEntries: number;
  /** Picture events that wait for one post at most. */
  readonly maxPictures: number;
}

const nameOf = (postId: string): string =>
  `${JOIN_PREFIX}${createHash('sha256').update(postId).digest('hex').slice(0, 32)}`;

export class JoinMemory {
  readonly #options: JoinOptions;
  readonly #watermarks: Watermarks;
  readonly #entries = new Map<string, Entry>();
  /** Post ids by collection, oldest first: each collection has its own event time. */
  readonly #queues = new Map<string, Set<string>>();
  readonly #changed = new Set<string>();
  #nextOrder = 0;

  constructor(options: JoinOptions, watermarks: Watermarks) {
    this.#options = options;
    this.#watermarks = watermarks;
  }

  get size(): number {
    return this.#entries.size;
  }

  restore(entries: ReadonlyMap<string, Uint8Array>): void {
    const found: Entry[] = [];
    for (const [name, value] of entries)
      if (name.startsWith(JOIN_PREFIX)) {
        try {
          found.push(JSON.parse(Buffer.from(value).toString('utf8')) as Entry);
        } catch (cause) {
          throw new TocsinError('BUS_STATE_MISMATCH', `the state entry ${name} is torn`, { cause });
        }
      }
    for (const entry of found.sort((a, b) => a.order - b.order)) {
      this.#watermarks.advance(entry.collection, entry.createdAt);
      this.#put(entry);
      this.#nextOrder = entry.order + 1;
    }
    this.#changed.clear();
  }

  /**
   * Remembers a post; gives back the pictures that were waiting for it, in the order they came.
   * @param post what the labels of its pictures will say, `revision` being the next one's number
   */
  rememberPost(postId: string, post: MediaContext): readonly WaitingPicture[] {
    const waiting = this.#entries.get(postId)?.pictures ?? [];
    this.#remove(postId);
    this.#put({ ...this.#fresh(postId, post.collection, post.createdAt), post, pictures: [] });
    return waiting;
  }

  /** The post of a picture, if it is remembered; each call takes the next revision number. */
  takeRevision(postId: string): MediaContext | null {
    const entry = this.#entries.get(postId);
    if (!entry?.post) return null;
    this.#entries.set(postId, { ...entry, post: { ...entry.post, revision: entry.post.revision + 1 } });
    this.#changed.add(postId);
    return entry.post;
  }

  /** Keeps a picture until its post comes. False when too many wait for that post. */
  awaitPost(picture: WaitingPicture): boolean {
    const { postId, collection, createdAt } = picture.event;
    const entry = this.#entries.get(postId) ?? {
      ...this.#fresh(postId, collection, createdAt),
      post: null,
      pictures: [],
    };
    if (entry.pictures.length >= this.#options.maxPictures) return false;
    this.#put({ ...entry, pictures: [...entry.pictures, picture] });
    return true;
  }

  /** Lets go of what the window or the bound no longer covers; gives back the pictures that found no post. */
  letGo(): { readonly orphans: readonly WaitingPicture[]; readonly early: number } {
    const orphans: WaitingPicture[] = [];
    let early = 0;
    for (const [collection, queue] of this.#queues)
      for (const postId of queue) {
        const entry = this.#entries.get(postId) as Entry;
        if (entry.createdAt >= this.#watermarks.of(collection) - this.#options.windowMs) break;
        this.#remove(postId);
        orphans.push(...entry.pictures);
      }
    while (this.#entries.size > this.#options.maxEntries) {
      const entry = this.#oldest();
      this.#remove(entry.postId);
      orphans.push(...entry.pictures);
      early += 1;
    }
    return { orphans, early };
  }

  flush(transaction: Transaction): void {
    for (const postId of this.#changed) {
      const entry = this.#entries.get(postId);
      transaction.putState(nameOf(postId), entry ? Buffer.from(JSON.stringify(entry)) : null);
    }
    this.#changed.clear();
  }

  #fresh(postId: string, collection: string, createdAt: number): Omit<Entry, 'post' | 'pictures'> {
    const order = this.#nextOrder;
    this.#nextOrder += 1;
    return { order, postId, collection, createdAt };
  }

  #put(entry: Entry): void {
    this.#entries.set(entry.postId, entry);
    let queue = this.#queues.get(entry.collection);
    if (!queue) {
      queue = new Set();
      this.#queues.set(entry.collection, queue);
    }
    queue.add(entry.postId);
    this.#changed.add(entry.postId);
  }

  #remove(postId: string): void {
    const entry = this.#entries.get(postId);
    if (!entry) return;
    this.#entries.delete(postId);
    const queue = this.#queues.get(entry.collection);
    queue?.delete(postId);
    if (queue?.size === 0) this.#queues.delete(entry.collection);
    this.#changed.add(postId);
  }

  #oldest(): Entry {
    let oldest: Entry | null = null;
    for (const queue of this.#queues.values())
      for (const postId of queue) {
        const entry = this.#entries.get(postId) as Entry;
        if (!oldest || entry.order < oldest.order) oldest = entry;
        break;
      }
    if (!oldest) throw new TocsinError('INTERNAL', 'Looking for the oldest entry of an empty join memory');
    return oldest;
  }
}
