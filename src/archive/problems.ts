/** Why a row or a picture of an archive is left out. Closed lists, so that counts can be compared between runs. */

/** Why a row gave no post. */
export const UNREADABLE_REASONS = [
  'column_count',
  'bad_json',
  'bad_field',
  'missing_id',
  'bad_date',
  'row_too_long',
] as const;
export type UnreadableReason = (typeof UNREADABLE_REASONS)[number];

/** Why a picture was left out of a post that is otherwise fine. */
export const PICTURE_PROBLEMS = [
  'picture_missing',
  'picture_empty',
  'picture_outside',
  'picture_too_large',
  'too_many_pictures',
] as const;
export type PictureProblem = (typeof PICTURE_PROBLEMS)[number];

/** A row that cannot be read. */
export interface Unreadable {
  readonly kind: 'unreadable';
  readonly reason: UnreadableReason;
}

/** Example: `yield unreadable('bad_date')`. */
export const unreadable = (reason: UnreadableReason): Unreadable => ({ kind: 'unreadable', reason });
