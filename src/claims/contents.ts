/**
 * Contents: what posts say and show, each scored once however often it is copied. Which score is known, which is asked
 * for, and which content is asked next: what spreads and what informs first, the rest when there is room.
 */
import type { ScoreRequest } from '../event/records.ts';
import type { Answer, Content, Post } from './cluster.ts';
import { nameOf } from './state.ts';

export type NewContent = Pick<
  Content,
  'collection' | 'text' | 'perceptualHashes' | 'storeKeys' | 'lineage' | 'informative'
>;

/**
 * Equal content, equal id. Pictures count by the hash of their preview's bytes, not by their perceptual hash: what the
 * scorer sees must not depend on which of two near-equal pictures came first.
 */
function contentId({ collection, text, storeKeys }: NewContent): string {
  return nameOf(collection, text, ...storeKeys);
}

export interface Contents {
  get(id: string): Content | undefined;
  /** Gives the post this content instead of the one it had; gives the ids of contents that nobody has any more. */
  give(post: Post, content: NewContent): readonly string[];
  /** Takes the post's content away; gives the ids of contents that nobody has any more. */
  take(post: Post): readonly string[];
  /** Looks again how urgent the post's content is: its claim has grown. */
  promote(post: Post): void;
  /** Remembers that the content was asked for, or answered. */
  pending(content: Content, at: number): void;
  answered(content: Content, answer: Answer): void;
  /** The contents to be asked for now, the most urgent first; they are pending from then on. */
  ask(at: number): readonly Content[];
}

/** Requests under way at once in a partition: enough to keep a scorer busy, few enough that the urgent ones overtake. */
const MAX_PENDING = 256;
/** crisis.scoring.v1 keeps a request for a day; what has no answer by then is asked for again. */
const PENDING_MS = 86_400_000;
const CLASSES = 4;

/** 0 … 3: spreading and informative, spreading, informative, the rest. */
function urgency(content: Content): number {
  let spreads = content.posts.size > 1;
  for (const post of content.posts) {
    if (spreads) break;
    spreads = post.cluster.members.length > 1;
  }
  return (spreads ? 0 : 2) + (content.informative ? 0 : 1);
}

export function createContents(): Contents {
  const byId = new Map<string, Content>();
  // Content → urgency under which it waits. A content that became more urgent stands in two queues; the map decides.
  const waiting = new Map<Content, number>();
  const queues: Set<Content>[] = Array.from({ length: CLASSES }, () => new Set());
  // In the order of asking: the first is the oldest.
  const pending = new Set<Content>();

  const leaveQueue = (content: Content): void => {
    const at = waiting.get(content);
    if (at === undefined) return;
    queues[at]?.delete(content);
    waiting.delete(content);
  };
  const enqueue = (content: Content): void => {
    if (content.answer || content.askedAt !== null) return;
    const at = urgency(content);
    if (waiting.get(content) === at) return;
    leaveQueue(content);
    waiting.set(content, at);
    queues[at]?.add(content);
  };
  const take = (post: Post): readonly string[] => {
    const { content } = post;
    if (!content) return [];
    post.content = null;
    content.posts.delete(post);
    if (content.posts.size > 0) return [];
    leaveQueue(content);
    pending.delete(content);
    byId.delete(content.id);
    return content.askedAt !== null || content.answer ? [content.id] : [];
  };
  return {
    get: (id) => byId.get(id),
    give(post, fresh) {
      const id = contentId(fresh);
      if (post.content?.id === id) return [];
      const gone = take(post);
      const content = byId.get(id) ?? { ...fresh, id, posts: new Set(), askedAt: null, answer: null };
      byId.set(id, content);
      content.posts.add(post);
      content.informative ||= fresh.informative;
      post.content = content;
      enqueue(content);
      return gone;
    },
    take,
    promote(post) {
      if (post.content) enqueue(post.content);
    },
    pending(content, at) {
      leaveQueue(content);
      content.askedAt = at;
      pending.add(content);
    },
    answered(content, answer) {
      leaveQueue(content);
      pending.delete(content);
      content.askedAt = null;
      content.answer = answer;
    },
    ask(at) {
      for (const content of pending) {
        if ((content.askedAt ?? at) > at - PENDING_MS) break;
        pending.delete(content);
        content.askedAt = null;
        enqueue(content);
      }
      const asked: Content[] = [];
      for (const queue of queues)
        for (const content of queue) {
          if (pending.size >= MAX_PENDING) return asked;
          this.pending(content, at);
          asked.push(content);
        }
      return asked;
    },
  };
}

/** The request for a content. */
export function requestOf(content: Content): ScoreRequest {
  const { id, collection, text, perceptualHashes, storeKeys, askedAt } = content;
  return {
    kind: 'ScoreRequest',
    requestId: id,
    collection,
    text,
    perceptualHashes,
    storeKeys,
    askedAt: askedAt ?? 0,
  };
}
