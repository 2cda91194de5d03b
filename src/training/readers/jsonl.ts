/**
 * Our own JSON lines (`archive/jsonl.ts`) with labels:
 * `labels: {informative?: boolean, rumour?: boolean, humanitarian?: [label…], damage?: level}`; 0 and 1 stand for false and true.
 */
import { z } from 'zod';
import { type JsonLine, jsonLineRows, jsonLinesFiles } from '../../archive/jsonl.ts';
import { HUMANITARIAN_LABELS } from '../humanitarian.ts';
import { DAMAGE_LEVELS, type Labels, TASK_NAMES, TASKS } from '../tasks.ts';
import { type DatasetReader, left, type RowExample, type RowLeft } from './contract.ts';

const yesNo = z.union([z.boolean(), z.literal(0), z.literal(1)]).transform((value): 0 | 1 => (value ? 1 : 0));

const schema = z.object({
  informative: yesNo.optional(),
  rumour: yesNo.optional(),
  humanitarian: z
    .array(z.enum(HUMANITARIAN_LABELS))
    .transform((given) => HUMANITARIAN_LABELS.filter((label) => given.includes(label)))
    .optional(),
  damage: z.enum(DAMAGE_LEVELS).optional(),
});

export const jsonLines: DatasetReader = {
  name: 'JSON lines',
  licence: 'not stated',
  takes: 'JSON lines with labels: a .jsonl or .ndjson file (also .gz), or a folder of them',
  tasks: Object.fromEntries(TASK_NAMES.map((task) => [task, { classes: TASKS[task].classes, weak: null }])),
  async find(path) {
    const { root, files } = await jsonLinesFiles(path);
    if (files.length === 0) return null;
    return {
      root,
      files,
      async *rows(_unit, now) {
        for (const file of files)
          for await (const row of jsonLineRows(file, now))
            yield row.kind === 'unreadable' ? left(row.reason) : exampleOf(row);
      },
    };
  },
};

function exampleOf(row: JsonLine): RowExample | RowLeft {
  const checked = schema.safeParse(row.labels ?? {});
  if (!checked.success) return left('unknown_label');
  const names = row.media.map((item) => ('file' in item ? item.file : item.url));
  const file = row.media.find((item) => 'file' in item)?.file;
  const { id, createdAt, text, language, author } = row;
  return {
    kind: 'example',
    id,
    post: id,
    event: row.collection ?? 'default',
    createdAt,
    text,
    language,
    author,
    picture: file === undefined ? null : { key: file, file },
    media: names,
    claim: null,
    published: {},
    labels: checked.data as Labels,
  };
}
