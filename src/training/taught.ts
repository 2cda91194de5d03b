/** What a network is taught of each post where teachers have a part in it. */
import { TocsinError } from '../base/errors.ts';
import type { Tf } from '../models/engine/tf.ts';
import type { Column, Dims, Head, Network } from '../models/zoo/contract.ts';
import { buildTable, type Shown } from './build-table.ts';
import type { Dataset } from './dataset.ts';
import type { Encoders } from './encoders.ts';
import { type Answered, type DefendedOptions, TWIN_SEED } from './harden.ts';
import { openPictures } from './pictures.ts';
import { show } from './score.ts';
import type { Split } from './splits.ts';
import type { Labelled } from './table.ts';
import { askTeachers, sentenceNetwork, type Teacher, type Teaching, unlabelledFor } from './teachers.ts';

/** What is to be taught. */
export interface Pupil {
  readonly data: Dataset;
  readonly split: Split;
  readonly head: Head;
  readonly build: (seed: number) => Network;
  readonly columns: readonly Column[];
  readonly dims: Dims;
  readonly rows: { readonly train: Labelled; readonly dev: Labelled };
  readonly posts: {
    readonly train: readonly (Shown & { readonly target: readonly number[] })[];
    readonly dev: readonly Shown[];
  };
}

export interface TeacherDeps {
  readonly tf: Tf;
  readonly encoders: Encoders;
  readonly teaching?: Teaching | null;
}

/** Teachers of each kind. */
const OF_A_KIND = [1, 2];

/**
 * The training posts, and those that nobody labelled, with what is taught of each. The teachers: two undefended networks of the
 * pupil's kind and two over sentences, all trained on the same posts. Throws BAD_USAGE without what they read, for the paper's
 * defence, which knows labels alone, and for more than one output.
 */
export async function taughtBy(
  { tf, encoders, teaching }: TeacherDeps,
  { seed, defence, teachersPart: part = 0 }: DefendedOptions,
  { data, split, head, build, columns, dims, rows, posts }: Pupil,
): Promise<Labelled & { readonly answered: readonly Answered[] }> {
  if (!teaching || head.outputs !== 1 || defence === 'static')
    throw new TocsinError(
      'BAD_USAGE',
      'Teachers need a text encoder, a network with one output, and another defence than static.',
    );
  const { sentences, unlabelled } = teaching;
  const extra = unlabelled ? unlabelledFor(data, split, unlabelled) : [];
  const all = [...posts.train, ...(await show(extra, [], openPictures()))];
  const textsOf = (some: readonly Shown[]): string[] => some.map(({ text }) => text);
  const table = await buildTable(all, columns, encoders, dims);
  const read = {
    train: { table: await sentences.table(textsOf(posts.train)), labels: rows.train.labels },
    dev: { table: await sentences.table(textsOf(posts.dev)), labels: rows.dev.labels },
    asked: await sentences.table(textsOf(all)),
  };
  const says = await askTeachers(
    tf,
    head,
    OF_A_KIND.flatMap((n): Teacher[] => [
      { build: () => sentenceNetwork(tf, sentences.dims, head, seed + n * TWIN_SEED), ...read },
      { build: () => build(seed + n * TWIN_SEED), ...rows, asked: table },
    ]),
    seed,
  );
  const { labels } = rows.train;
  return {
    table,
    labels: says.map((p, i) => (i < labels.length ? part * p + (1 - part) * (labels[i] as number) : p)),
    answered: all.map(({ text }, i) => ({
      text,
      target: posts.train[i]?.target ?? [Math.round(says[i] as number)],
    })),
  };
}
