/** CrisisLexT26 (Olteanu et al., CSCW 2015) and CrisisLexT6 (ICWSM 2014): one labelled tweet a row, no pictures. */
import { dirname } from 'node:path';
import { postRows, tablesWith } from '../../archive/post-rows.ts';
import type { LeftReason } from '../dataset.ts';
import { CRISISLEX_TYPES, labelsOf, mapped } from '../humanitarian.ts';
import { type Labels, TASKS } from '../tasks.ts';
import { type Collection, type DatasetReader, left, NOTHING_MORE } from './contract.ts';

const CORE = ['event', 'tweet_id', 'created_at', 'text'];

const INFORMATIVE: Readonly<Record<string, 0 | 1>> = {
  'Related and informative': 1,
  'Related - but not informative': 0,
  'Not related': 0,
};

interface Labelled {
  readonly labels: Labels;
  readonly unlabelled?: LeftReason;
}

/** "Not applicable" rows could not be judged (unreadable, another language). */
function t26Labels(informativeness: string, type: string): Labelled | LeftReason {
  if (informativeness === 'Not applicable') return { labels: {}, unlabelled: 'not_applicable' };
  const informative = INFORMATIVE[informativeness];
  if (informative === undefined) return 'unknown_label';
  if (informativeness === 'Not related') return { labels: { informative, humanitarian: [] } };
  const humanitarian = mapped(CRISISLEX_TYPES, [type]);
  if (humanitarian) return { labels: { informative, humanitarian } };
  return { labels: { informative }, unlabelled: type === 'Not applicable' ? 'not_applicable' : 'no_label' };
}

const T6_LABELS: Readonly<Record<string, 0 | 1>> = { 'on-topic': 1, 'off-topic': 0 };

function t6Labels(onTopic: string): Labelled | LeftReason {
  const informative = T6_LABELS[onTopic];
  return informative === undefined ? 'unknown_label' : { labels: { informative } };
}

/** The tweets of some tables, each labelled by `judge`. */
const tweetsOf = (
  files: readonly string[],
  judge: (get: (column: string) => string) => Labelled | LeftReason,
): Collection => ({
  files,
  root: dirname(files[0] as string),
  async *rows(_unit, now) {
    for (const file of files)
      for await (const row of postRows(file, 'tweet_id', now)) {
        if (row.kind === 'unreadable') {
          yield left(row.reason);
          continue;
        }
        const { id, createdAt, get } = row;
        const labelled = judge(get);
        if (typeof labelled === 'string') yield left(labelled);
        else
          yield {
            kind: 'example',
            ...NOTHING_MORE,
            id,
            post: id,
            event: get('event'),
            createdAt,
            text: get('text'),
            ...labelled,
          };
      }
  },
});

const T26_COLUMNS = [...CORE, 'informativeness', 'information_type'];

export const crisisLexT26: DatasetReader = {
  name: 'CrisisLexT26',
  licence: 'MIT',
  takes: 'CrisisLexT26: a .tsv with informativeness and information_type, or the folder that holds it',
  tasks: {
    informative: { classes: TASKS.informative.classes, weak: null },
    humanitarian: { classes: labelsOf(CRISISLEX_TYPES), weak: null },
  },
  async find(path) {
    const files = await tablesWith(path, T26_COLUMNS);
    return files.length === 0
      ? null
      : tweetsOf(files, (get) => t26Labels(get('informativeness'), get('information_type')));
  },
};

export const crisisLexT6: DatasetReader = {
  name: 'CrisisLexT6',
  licence: 'MIT',
  takes: 'CrisisLexT6: a .tsv or .tsv.gz with on_topic, or a folder that holds it and not T26 too',
  tasks: {
    informative: {
      classes: TASKS.informative.classes,
      weak: 'on-topic stands for informative; a tweet can be on topic and tell nothing',
    },
  },
  async find(path) {
    if ((await tablesWith(path, T26_COLUMNS)).length > 0) return null;
    const files = await tablesWith(path, [...CORE, 'on_topic']);
    return files.length === 0 ? null : tweetsOf(files, (get) => t6Labels(get('on_topic')));
  },
};
