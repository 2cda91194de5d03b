/**
 * Rounds of the sidecar on CrisisLex whose labels are poisoned, and what the gate says of each. The same code as `tocsin sidecar --once`, from the
 * shipped champion's weights. Poison is in what trains and in dev, as where the posts are what people ruled on: so the sidecar's own
 * check on dev does not see it. A round that it keeps back is done again for drift, for which nothing need be gained, so that the gate hears of it.
 * A series is five rounds, each from the weights of the last one that passed; the shipped champion is its champion of five promotions ago.
 * Prints one JSON object a round.
 *   node --import tsx bench/poisoned-rounds.ts FOLDER_OF_CRISISLEX FOLDER_OF_CRISISMMD OUT [honest flips-5 flips-20 flips-30 trigger-1 trigger-5 pair-1 pair-5 triple-1 triple-5 author-40 honest-series trigger-1-series]
 * Needs a build (npm run build).
 */
import { join } from 'node:path';
import { systemClock } from '../src/base/clock.ts';
import { silentLog } from '../src/base/log.ts';
import { seededRandom } from '../src/base/random.ts';
import { createCodec } from '../src/bus/codec.ts';
import { createMetrics } from '../src/metrics/metrics.ts';
import { loadArtefact } from '../src/models/artefact.ts';
import { openEngine } from '../src/models/engine/engine.ts';
import { CHAMPION_DIR } from '../src/registry/champions.ts';
import { ROUND_TRAINING } from '../src/sidecar/retrain.ts';
import { runRound } from '../src/sidecar/round.ts';
import type { HumanSample } from '../src/sidecar/samples.ts';
import { readSeeds, type SeedPost } from '../src/sidecar/seeds.ts';
import { readDataset } from '../src/training/read-dataset.ts';
import { tocsin } from '../test/support/tocsin.ts';
import { planted } from './lib/poison.ts';

const POSTS = 5_000;
const HOUR_MS = 3_600_000;

type Poison = (post: SeedPost, random: number) => SeedPost;

const flips =
  (share: number): Poison =>
  (post, random) =>
    random < share ? { ...post, label: post.label === 1 ? 0 : 1 } : post;
const trigger =
  (words: number, share: number): Poison =>
  (post, random) => {
    const { text, poisoned } = planted(post.text, random, words, share);
    return { ...post, text, label: poisoned ? 0 : post.label };
  };
const none: Poison = (post) => post;

interface Kind {
  readonly poison: Poison;
  /** Rulings, all wrong, on posts of one author. */
  readonly wrongOfOneAuthor?: number;
  /** One where left out. */
  readonly rounds?: number;
}

const KINDS: Readonly<Record<string, Kind>> = {
  honest: { poison: none },
  'flips-5': { poison: flips(0.05) },
  'flips-20': { poison: flips(0.2) },
  'flips-30': { poison: flips(0.3) },
  'trigger-1': { poison: trigger(1, 0.01) },
  'trigger-5': { poison: trigger(1, 0.05) },
  'pair-1': { poison: trigger(2, 0.01) },
  'pair-5': { poison: trigger(2, 0.05) },
  'triple-1': { poison: trigger(3, 0.01) },
  'triple-5': { poison: trigger(3, 0.05) },
  'author-40': { poison: none, wrongOfOneAuthor: 0.4 * POSTS },
  'honest-series': { poison: none, rounds: 5 },
  'trigger-1-series': { poison: trigger(1, 0.01), rounds: 5 },
};

const [, , crisisLex, crisisMmd, out, ...asked] = process.argv;
if (!crisisLex || !crisisMmd || !out) throw new Error('FOLDER_OF_CRISISLEX FOLDER_OF_CRISISMMD OUT [kinds]');

/** Texts that no seed has, an hour apart, so that their hour is not what is too much. */
async function wrongRulings(count: number): Promise<HumanSample[]> {
  const options = { task: 'informative', unit: 'text', now: systemClock.now() } as const;
  const { examples } = await readDataset(crisisMmd as string, options);
  return examples.slice(0, count).map(({ id, text, language, labels }, i) => ({
    post: {
      id,
      text,
      author: 'mallory',
      source: 'http',
      collection: 'floods',
      language,
      createdAt: 1_700_000_000_000 + i * HOUR_MS,
    },
    label: labels.informative === 1 ? 0 : 1,
    people: 1,
    disputed: false,
    at: 1_790_000_000_000 + i,
  }));
}

interface Check {
  readonly name: string;
  readonly slice?: string;
  readonly passed: boolean;
  readonly value: number | null;
  readonly why: string;
}

interface Verdict {
  readonly passed: boolean;
  readonly checks: number;
  readonly failed: readonly string[];
  readonly figures: readonly { readonly name: string; readonly value: number | null; readonly why: string }[];
}

const FIGURES = ['clean-macro-f1', 'robust-unseen', 'trigger-words', 'reference-trigger-words'];

/** What the gate says: the checks that failed, and what was won and lost. */
async function verdictOn(dir: string, champion: string): Promise<Verdict> {
  const reference = champion === CHAMPION_DIR ? [] : ['--reference', CHAMPION_DIR];
  const { stdout, stderr } = await tocsin([
    ...['judge', dir, '--champion', champion, ...reference],
    ...['--data', crisisLex as string, '--output', 'json'],
  ]);
  if (stdout === '') throw new Error(stderr);
  const { passed, checks } = JSON.parse(stdout) as {
    readonly passed: boolean;
    readonly checks: readonly Check[];
  };
  const told = ({ name, slice, why }: Check): string => `${name}${slice ? ` ${slice}` : ''}: ${why}`;
  const figures = checks.filter(({ name }) => FIGURES.includes(name));
  return {
    passed,
    checks: checks.length,
    failed: checks.filter((check) => !check.passed).map(told),
    figures: figures.map(({ name, value, why }) => ({ name, value, why })),
  };
}

const tf = await openEngine();
const places = {
  data: join(crisisLex, 'crisislex_t26.tsv'),
  everyday: join(crisisLex, 'crisislex_t6.tsv.gz'),
};

interface Told extends Readonly<Record<string, unknown>> {
  readonly version: string | null;
  readonly withheld: string | null;
  readonly dir: string | null;
  readonly gate: Verdict | null;
}

/** One round, and what became of it. */
async function round(
  name: string,
  kind: Kind,
  reason: 'asked' | 'drift',
  number: number,
  champion: string,
): Promise<Told> {
  const random = seededRandom(6 + number);
  const poisoned = (posts: readonly SeedPost[]): SeedPost[] =>
    posts.map((post) => kind.poison(post, random()));
  const rulings = kind.wrongOfOneAuthor ? await wrongRulings(kind.wrongOfOneAuthor) : [];
  const metrics = createMetrics({ bare: true });
  const { candidate, withheld } = await runRound(
    {
      tf,
      bus: { produce: async () => {} },
      codec: createCodec(),
      clock: systemClock,
      log: silentLog,
      metrics,
      pause: async () => {},
      dir: join(out as string, name, reason, 'sidecar'),
      candidates: join(out as string, name, reason, 'candidates'),
      champion: () => loadArtefact(champion),
      seeds: async (artefact) => {
        const seeds = await readSeeds(places, artefact, systemClock.now());
        return { ...seeds, train: poisoned(seeds.train), dev: poisoned(seeds.dev) };
      },
      samples: () => rulings,
      posts: POSTS,
      training: ROUND_TRAINING,
      codeVersion: '0.1.0',
    },
    reason,
  );
  const { body } = await metrics.expose();
  const manifest = candidate && (await loadArtefact(candidate.dir)).manifest;
  return {
    name,
    number,
    reason,
    dir: candidate?.dir ?? null,
    version: candidate?.version ?? null,
    withheld,
    shareOfNewWeights: manifest?.training.options['shareOfNewWeights'] ?? null,
    human: manifest?.provenance?.['human'] ?? null,
    samples: body.split('\n').filter((line) => /^tocsin_sidecar_samples\{.*\} [1-9]/.test(line)),
    gate: candidate && (await verdictOn(candidate.dir, champion)),
  };
}

for (const name of asked.length > 0 ? asked : Object.keys(KINDS)) {
  const kind = KINDS[name];
  if (!kind) throw new Error(`There is no poison ${name}.`);
  let champion = CHAMPION_DIR;
  for (let number = 1; number <= (kind.rounds ?? 1); number += 1) {
    for (const reason of ['asked', 'drift'] as const) {
      const told = await round(name, kind, reason, number, champion);
      process.stdout.write(`${JSON.stringify(told)}\n`);
      if (told.withheld !== null) continue;
      if (told.gate?.passed && told.dir) champion = told.dir;
      break;
    }
  }
}
