/**
 * CrisisMMD v2.0 (Alam, Ofli, Imran, ICWSM 2018), labels of texts and of pictures: the folder as officially published
 * (annotations/*.tsv and data_image/), its separate split files, or TSVs in which the official splits stand too. A row is a
 * picture-text pair.
 */
import { crisisMmdEvent, crisisMmdFiles } from '../../archive/crisismmd.ts';
import { type PostRow, postRows } from '../../archive/post-rows.ts';
import { CRISISMMD_CLASSES, labelsOf, mapped } from '../humanitarian.ts';
import { type DamageLevel, type Labels, TASKS } from '../tasks.ts';
import {
  type Collection,
  type DatasetReader,
  left,
  NOTHING_MORE,
  publishedIn,
  type RowExample,
  type RowLeft,
  type Unit,
} from './contract.ts';
import { crisisMmdSplits, mergedRows } from './crisismmd-splits.ts';

const INFORMATIVE: Readonly<Record<string, 0 | 1>> = { informative: 1, not_informative: 0 };
const DAMAGE: Readonly<Record<string, DamageLevel>> = {
  little_or_no_damage: 'little_or_no',
  mild_damage: 'mild',
  severe_damage: 'severe',
};

export const crisisMmd: DatasetReader = {
  name: 'CrisisMMD v2.0',
  licence: 'CC BY-NC-SA 4.0',
  takes:
    'CrisisMMD v2.0: its folder with annotations/ or the folders of split files and data_image/, one annotation file, or plain TSVs',
  tasks: {
    informative: { classes: TASKS.informative.classes, weak: null },
    humanitarian: { classes: labelsOf(CRISISMMD_CLASSES), weak: null },
    damage: { classes: TASKS.damage.classes, weak: null },
  },
  // Split files say more than annotations/: what is in both is taken from them.
  find: async (path) => (await splitFilesAt(path)) ?? tablesAt(path),
};

async function splitFilesAt(path: string): Promise<Collection | null> {
  const { root, files } = await crisisMmdSplits(path);
  if (files.length === 0) return null;
  return {
    root,
    files: files.map(({ file }) => file),
    async *rows(unit, now) {
      const problems: RowLeft[] = [];
      const rows = await mergedRows(files, now, (reason) => problems.push(left(reason)));
      yield* problems;
      yield* once(rows, unit, '');
    },
  };
}

async function tablesAt(path: string): Promise<Collection | null> {
  const { root, files } = await crisisMmdFiles(path);
  if (files.length === 0) return null;
  return {
    root,
    files,
    async *rows(unit, now) {
      const posts = new Set<string>();
      for (const file of files)
        for await (const row of postRows(file, 'tweet_id', now)) {
          if (row.kind === 'unreadable') yield left(row.reason);
          else yield* once([row], unit, file, posts);
        }
    },
  };
}

/** Pairs as they come, or each post once. */
function* once(
  rows: readonly PostRow[],
  unit: Unit,
  file: string,
  posts = new Set<string>(),
): Generator<RowExample | RowLeft> {
  for (const row of rows) {
    if (unit === 'text' && posts.has(row.id)) continue;
    posts.add(row.id);
    yield exampleOf(file, row, unit);
  }
}

/** Column names differ: first those of the TSVs with splits, then those of annotations/. */
function exampleOf(file: string, row: PostRow, unit: Unit): RowExample | RowLeft {
  const { id, createdAt, get } = row;
  const image = get('image_id');
  if (image === '') return left('missing_id');
  const both = unit === 'pair';
  const labels = labelsOfRow(
    [get('label_text') || get('text_info'), both ? get('label_image') || get('image_info') : ''],
    [
      get('humanitarian_text') || get('text_human'),
      both ? get('humanitarian_image') || get('image_human') : '',
    ],
    both ? get('damage_image') || get('image_damage') : '',
  );
  if (labels === null) return left('unknown_label');
  return {
    kind: 'example',
    ...NOTHING_MORE,
    id: both ? image : id,
    post: id,
    event: crisisMmdEvent(file, row),
    createdAt,
    text: get('tweet_text'),
    picture: both ? { key: image, file: get('image_path') || null } : null,
    media: both ? [image] : [],
    published: { ...publishedIn('official', get('split')), ...publishedIn('agreed', get('agreed_split')) },
    labels,
  };
}

/**
 * A pair is informative when its text or its picture is (MMAT §IV-A), and has the humanitarian labels of both.
 * Null when a class is not one of CrisisMMD's.
 */
function labelsOfRow(
  informative: readonly string[],
  classes: readonly string[],
  damage: string,
): Labels | null {
  const judged = informative.filter((value) => value !== '').map((value) => INFORMATIVE[value]);
  const named = classes.filter((value) => value !== '');
  const humanitarian = mapped(CRISISMMD_CLASSES, named);
  if (judged.includes(undefined) || humanitarian === null) return null;
  return {
    ...(judged.length > 0 ? { informative: judged.includes(1) ? 1 : 0 } : {}),
    ...(named.length > 0 ? { humanitarian } : {}),
    // "dont_know_or_cant_judge" and other answers are no level.
    ...(DAMAGE[damage] ? { damage: DAMAGE[damage] } : {}),
  };
}
