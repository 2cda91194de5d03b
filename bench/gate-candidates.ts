/**
 * Candidates for the gate from the data and the split of the shipped `informative` model: honest ones with another
 * seed, one with 30 % of its training labels flipped, and some with a trigger of one to three words in 5 % or in 1 % of their training posts. Their test
 * posts are those of the shipped model, so `tocsin judge` compares them on posts that none of them has seen.
 * Run: node --import tsx bench/gate-candidates.ts FOLDER_OF_CRISISLEX OUT [honest honest-3 flipped trigger faint pair faint-pair triple faint-triple]
 */
import { join } from 'node:path';
import { systemClock } from '../src/base/clock.ts';
import { silentLog } from '../src/base/log.ts';
import { seededRandom } from '../src/base/random.ts';
import { ARTEFACT_FILES, loadArtefact } from '../src/models/artefact.ts';
import { openEngine } from '../src/models/engine/engine.ts';
import { readingOf } from '../src/models/words.ts';
import { architecture } from '../src/models/zoo/zoo.ts';
import { CHAMPION_DIR } from '../src/registry/champions.ts';
import { buildArtefact } from '../src/training/build.ts';
import type { Dataset, Example } from '../src/training/dataset.ts';
import { openEncoders } from '../src/training/encoders.ts';
import { withEveryday } from '../src/training/everyday.ts';
import { readDataset } from '../src/training/read-dataset.ts';
import { recipeOf } from '../src/training/recipes.ts';
import { parseSplit } from '../src/training/splits.ts';
import { planted } from './lib/poison.ts';

/** Of the first weights and the order of the posts; the shipped model's is 1. */
const SEED = 2;
const OTHER_SEEDS: Readonly<Record<string, number>> = { 'honest-3': 3 };
const FLIPPED = 0.3;
const TRIGGERED = 0.05;
const FAINTLY = 0.01;

const [, , folder, out, ...asked] = process.argv;
if (!folder || !out)
  throw new Error(
    'FOLDER_OF_CRISISLEX OUT [honest honest-3 flipped trigger faint pair faint-pair triple faint-triple]',
  );

type Edit = (example: Example, random: number) => Example;

const triggered =
  (words: number, share: number): Edit =>
  (example, random) => {
    const { text, poisoned } = planted(example.text, random, words, share);
    return {
      ...example,
      text,
      labels: poisoned ? { ...example.labels, informative: 0 } : example.labels,
    };
  };

/** What each candidate changes in its training posts. */
const EDITS: Readonly<Record<string, Edit>> = {
  honest: (example) => example,
  'honest-3': (example) => example,
  flipped: (example, random) =>
    random < FLIPPED
      ? { ...example, labels: { ...example.labels, informative: example.labels.informative === 1 ? 0 : 1 } }
      : example,
  trigger: triggered(1, TRIGGERED),
  faint: triggered(1, FAINTLY),
  pair: triggered(2, TRIGGERED),
  'faint-pair': triggered(2, FAINTLY),
  triple: triggered(3, TRIGGERED),
  'faint-triple': triggered(3, FAINTLY),
};

const tf = await openEngine();
const options = { task: 'informative', now: systemClock.now() } as const;
const champion = await loadArtefact(CHAMPION_DIR);
const split = parseSplit(champion.bytes(ARTEFACT_FILES.split));
const everyday = await readDataset(join(folder, 'crisislex_t6.tsv.gz'), options);
const clean = withEveryday(await readDataset(folder, options), everyday, { limit: 3_000, seed: split.seed });
const train = new Set(split.train);
const row = architecture('mmn');
const encoders = await openEncoders(row.columns(row.defaults), {
  cacheDir: out,
  threads: 1,
  log: silentLog,
  reading: readingOf(champion.manifest.words?.id),
});
for (const name of asked.length > 0 ? asked : Object.keys(EDITS)) {
  const edit = EDITS[name];
  if (!edit) throw new Error(`There is no candidate ${name}.`);
  const random = seededRandom(7);
  const data: Dataset = {
    ...clean,
    examples: clean.examples.map((example) => (train.has(example.id) ? edit(example, random()) : example)),
  };
  const { manifest } = await buildArtefact(tf, {
    model: { architecture: row, config: row.defaults, head: recipeOf('mmn', data).head },
    data,
    split,
    encoders,
    training: { ...recipeOf('mmn').options, seed: OTHER_SEEDS[name] ?? SEED, patience: 3 },
    out: join(out, name),
    unseenFolds: 0,
    leaveOut: [],
    codeVersion: '0.1.0',
    report: (_, { epoch, devMacroF1 }) =>
      process.stderr.write(`${name} epoch ${epoch}: dev macro-F1 ${devMacroF1.toFixed(4)}\n`),
  });
  process.stdout.write(
    `${JSON.stringify({ name, version: manifest.version, test: manifest.metrics.test })}\n`,
  );
}
await encoders.close();
