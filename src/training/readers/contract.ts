/** The contract of a data set reader: a folder or file as its authors publish it → labelled rows. */
import type { Example, LeftReason } from '../dataset.ts';
import type { Task } from '../tasks.ts';

/** A labelled row as the collection has it. */
export interface RowExample extends Omit<Example, 'text' | 'language' | 'picture'> {
  readonly kind: 'example';
  /** As it was written. */
  readonly text: string;
  /** What the collection says. */
  readonly language: string | null;
  /** `file` counts from the collection's root; null where it names none. */
  readonly picture: { readonly key: string; readonly file: string | null } | null;
  /** Why a task has no label, where it is not that nobody was asked. */
  readonly unlabelled?: LeftReason;
}

export interface RowLeft {
  readonly kind: 'left';
  readonly reason: LeftReason;
}

export const left = (reason: LeftReason): RowLeft => ({ kind: 'left', reason });

/**
 * What one example is in a collection whose rows are pictures: the picture-text `pair`, or the `text` of a post once
 * with the labels that were given to it alone.
 */
export type Unit = 'pair' | 'text';

/** A collection that was found; nothing of its rows is in memory. */
export interface Collection {
  /** Every file that decides what is read, for the hash. */
  readonly files: readonly string[];
  /** Folder that picture files count from. */
  readonly root: string;
  /** @param now nothing is younger than that (ms) */
  rows(unit: Unit, now: number): AsyncIterable<RowExample | RowLeft>;
}

/** One kind of collection. */
export interface DatasetReader {
  /** Name of the collection. */
  readonly name: string;
  readonly licence: string;
  /** What the reader takes, in words, for help and error messages. */
  readonly takes: string;
  /**
   * What it has labels for: the classes that its labels tell apart, and why they only stand in for the task's own (null
   * when they are its own).
   */
  readonly tasks: Readonly<
    Partial<Record<Task, { readonly classes: readonly string[]; readonly weak: string | null }>>
  >;
  /** The collection at a path; null when this reader does not know it. Looks at names and header lines only. */
  find(path: string): Promise<Collection | null>;
}

/** The part of the path of a split column. Null for anything else. */
export function partOf(value: string): 'train' | 'dev' | 'test' | null {
  return value === 'train' || value === 'dev' || value === 'test' ? value : null;
}

/** What one published split says of a row. */
export function publishedIn(name: string, value: string): Example['published'] {
  const part = partOf(value);
  return part ? { [name]: part } : {};
}

/** The fields that most collections do not have. */
export const NOTHING_MORE = {
  author: null,
  picture: null,
  media: [],
  claim: null,
  published: {},
  language: null,
} as const;
