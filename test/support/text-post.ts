/** A post of words alone, as ingest leaves it. */
import type { PostEvent } from '../../src/event/records.ts';

export const textPost = (id: string, text: string, collection: string): PostEvent => ({
  kind: 'PostEvent',
  id,
  collection,
  source: 'test',
  text,
  createdAt: Date.now(),
  receivedAt: Date.now(),
  language: 'en',
  authorHash: null,
  place: null,
  media: [],
  picturesApart: false,
  synthetic: true,
});
