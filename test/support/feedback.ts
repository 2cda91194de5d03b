/** A person's ruling on one post, as the claim worker applied it. */
import type { Feedback } from '../../src/event/records.ts';

export const feedback = (postId: string, more: Partial<Feedback> = {}): Feedback => ({
  kind: 'Feedback',
  rulingId: `on-${postId}`,
  collection: 'lab',
  claimId: null,
  postIds: [postId],
  task: 'informative',
  ruling: 'informative',
  by: 'ada',
  at: 0,
  undoes: null,
  ...more,
});
