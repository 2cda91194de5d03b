/** Labelled posts for training and evaluation, whatever collection they come from. */
import type { PictureProblem, UnreadableReason } from '../archive/problems.ts';
import { TocsinError } from '../base/errors.ts';
import type { Manifest } from '../models/manifest.ts';
import { type BinaryTask, isBinary, type Labels, type Task } from './tasks.ts';

export type Part = 'train' | 'dev' | 'test';

/** A picture of a post. Its pixels come from `openPictures` when they are wanted. */
export interface Picture {
  /** Equal for the same picture under several posts, where the collection knows that. */
  readonly key: string;
  /** Absolute path; null where the collection at hand lacks the file. */
  readonly file: string | null;
}

/** One labelled post, or one of the picture-text pairs of a post. */
export interface Example {
  /** Unique in the data set; names the example in a split. */
  readonly id: string;
  /** The post that it belongs to: several pairs may share one. */
  readonly post: string;
  /** The disaster that it belongs to. */
  readonly event: string;
  /** Milliseconds since the epoch; null where the collection does not say. */
  readonly createdAt: number | null;
  /** Normalised text, as the label worker sees it. */
  readonly text: string;
  /** ISO 639-1, or und. */
  readonly language: string;
  /** Who wrote it, as the collection names them (mostly a hash); null where it does not say. */
  readonly author: string | null;
  readonly picture: Picture | null;
  /** Keys of all pictures and videos that the post carries, in reach or not. */
  readonly media: readonly string[];
  /** The claim that it belongs to, where the collection itself says so. */
  readonly claim: string | null;
  /** Its part in splits that were published with the data: `official`, and `agreed` in CrisisMMD. */
  readonly published: Readonly<Record<string, Part>>;
  /** Has the label of the data set's task; may have others. */
  readonly labels: Labels;
}

/** Why a row gave no example. */
export type LeftReason =
  | UnreadableReason
  | 'no_label'
  | 'unknown_label'
  | 'not_applicable'
  | 'humour'
  | 'unverified'
  | 'repeated_id';

export interface Dataset {
  readonly name: string;
  readonly licence: string;
  readonly task: Task;
  /** The task's classes that these data tell apart; others are unknown, not absent. */
  readonly classes: readonly string[];
  /** Why the labels only stand in for the task's own; null when they are its own. */
  readonly weak: string | null;
  readonly examples: readonly Example[];
  /** Of the file's bytes, or of the hashes of several. */
  readonly sha256: string;
  /** What was added from another collection (everyday.ts). */
  readonly also?: NonNullable<Manifest['data']['also']>;
  /** Rows that were left out, by reason. */
  readonly left: Readonly<Partial<Record<LeftReason, number>>>;
  /** Pictures that are named but not to be had, by reason. */
  readonly pictureProblems: Readonly<Partial<Record<PictureProblem, number>>>;
}

/** The label of a task with two classes. Throws INTERNAL for an example without it: such a one is in no data set of the task. */
export function binaryLabel({ id, labels }: Pick<Example, 'id' | 'labels'>, task: BinaryTask): 0 | 1 {
  const label = labels[task];
  if (label === undefined) throw new TocsinError('INTERNAL', `Example ${id} has no label for ${task}.`);
  return label;
}

/** The data set's task where it has two classes. Throws BAD_USAGE for others. */
export function binaryTaskOf({ name, task }: Pick<Dataset, 'name' | 'task'>): BinaryTask {
  if (isBinary(task)) return task;
  throw new TocsinError('BAD_USAGE', `${name} was read for ${task}: a task with two classes is needed.`);
}
