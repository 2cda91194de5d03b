/**
 * Frozen encoders: sentences or pictures per second of every encoder that is installed, with one and with two threads
 * taking turns (medians over turns), the CPU time of a sample, and how many cores the run was really given: where that is
 * less than its threads, other work ran beside it and the rate is too low. Also the entity tagger and a cache hit on disk.
 * Texts of 4 to 40 words; pictures are noise (drawn ones take the same time). A process per encoder, so that its
 * memory is its own. Prints one JSON object. Run: node --import tsx bench/encoders.ts [seconds per figure]
 */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { silentLog } from '../src/base/log.ts';
import { machine } from '../src/base/machine.ts';
import { seededRandom } from '../src/base/random.ts';
import { cacheDir } from '../src/config/cache.ts';
import { diskStore, withCache } from '../src/models/encoders/cache.ts';
import { DEFAULT_ENCODERS, ENCODERS, encoderDir, encoderRow } from '../src/models/encoders/catalogue.ts';
import type { Encoder } from '../src/models/encoders/contract.ts';
import { createEntityTagger } from '../src/models/encoders/entities.ts';
import { isInstalled } from '../src/models/encoders/files.ts';
import { openEncoder } from '../src/models/encoders/open.ts';
import { median, round, rssMiB } from './lib/machine.ts';

const SECONDS = Number(process.argv[2] ?? 8);
const BATCH = 16;
const TURNS = 5;

const random = seededRandom(1);
const WORDS =
  'flood water bridge road closed people missing rescue boats shelter school power fire wind storm river rising need help blankets food today reported near the of and in to is at from'.split(
    ' ',
  );
const text = (): string =>
  Array.from(
    { length: 4 + Math.floor(random() * 37) },
    () => WORDS[Math.floor(random() * WORDS.length)],
  ).join(' ');
const picture = (): Uint8Array =>
  Uint8Array.from({ length: 224 * 224 * 3 }, () => Math.floor(random() * 256));
const SAMPLES = {
  text: Array.from({ length: 256 }, text),
  image: Array.from({ length: 32 }, picture),
};

interface Run {
  readonly perSecond: number;
  /** CPU time of all threads of the process. */
  readonly cpuMs: number;
  readonly cores: number;
}

type Step = (batch: readonly never[]) => Promise<unknown>;

/** One turn. */
async function turn(samples: readonly (string | Uint8Array)[], step: Step, seconds: number): Promise<Run> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  let done = 0;
  while (performance.now() - start < seconds * 1_000) {
    const from = done % samples.length;
    const batch = samples.slice(from, from + BATCH) as never[];
    await step(batch);
    done += batch.length;
  }
  const wall = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  const used = (user + system) / 1_000;
  return { perSecond: (done / wall) * 1_000, cpuMs: used / done, cores: used / wall };
}

/** Medians of each contender, all taking turns after one batch to warm up. */
async function compare(
  samples: readonly (string | Uint8Array)[],
  contenders: readonly Step[],
): Promise<Run[]> {
  const runs = contenders.map((): Run[] => []);
  for (const step of contenders) await step(samples.slice(0, BATCH) as never[]);
  for (let i = 0; i < TURNS; i += 1)
    for (const [c, step] of contenders.entries()) runs[c]?.push(await turn(samples, step, SECONDS / TURNS));
  return runs.map((of) => ({
    perSecond: round(median(of.map((run) => run.perSecond))),
    cpuMs: round(median(of.map((run) => run.cpuMs)), 2),
    cores: round(median(of.map((run) => run.cores)), 2),
  }));
}

async function benchEncoder(id: string): Promise<object> {
  const row = encoderRow(id);
  const dir = encoderDir(row, cacheDir());
  const samples = SAMPLES[row.modality];
  const open = (threads: number): Promise<Encoder> =>
    openEncoder(row, row.modality, { dir, threads, log: silentLog });
  const before = rssMiB(process.pid) ?? 0;
  const one = await open(1);
  await one.encode(samples as never[]);
  const rss = (rssMiB(process.pid) ?? 0) - before;
  const two = await open(2);
  const [threads1, threads2] = await compare(samples, [
    (batch) => one.encode(batch),
    (batch) => two.encode(batch),
  ]);
  await Promise.all([one.close(), two.close()]);
  return { threads1, threads2, rssMiB: rss };
}

const own = process.argv[3];
if (own !== undefined) {
  process.stdout.write(`${JSON.stringify(await benchEncoder(own))}\n`);
  process.exit(0);
}
const encoders: Record<string, unknown> = {};
for (const { id } of ENCODERS.filter((known) => isInstalled(known, encoderDir(known, cacheDir())))) {
  const args = ['--import', 'tsx', fileURLToPath(import.meta.url), String(SECONDS), id];
  const run = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`${id}: ${run.stderr}`);
  encoders[id] = JSON.parse(run.stdout);
}

const folder = await mkdtemp(join(tmpdir(), 'tocsin-bench-encoders-'));
const row = encoderRow(DEFAULT_ENCODERS.text);
const cached = withCache(
  await openEncoder(row, 'text', { dir: encoderDir(row, cacheDir()), threads: 2, log: silentLog }),
  diskStore(folder, row),
);
await cached.encode(SAMPLES.text);
const [hits] = await compare(SAMPLES.text, [(batch) => cached.encode(batch)]);
await cached.close();
await rm(folder, { recursive: true, force: true });

const tagger = createEntityTagger();
const [tagged] = await compare(SAMPLES.text, [async (batch) => batch.map((sample) => tagger.tag(sample))]);

process.stdout.write(
  `${JSON.stringify({
    machine: machine(),
    batch: BATCH,
    encoders,
    diskHits: hits,
    entities: tagged,
  })}\n`,
);
process.exit(0);
