/**
 * Frozen encoders: sentences or pictures per second of every encoder that is installed, with one and with two threads, and
 * of the entity tagger; resident memory; what a cache hit costs. Texts of 4 to 40 words; pictures are noise (speed does not
 * depend on the content). Prints one JSON object. Run: node --import tsx bench/encoders.ts [seconds per figure]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '../src/base/log.ts';
import { machine } from '../src/base/machine.ts';
import { seededRandom } from '../src/base/random.ts';
import { cacheDir } from '../src/config/cache.ts';
import { diskStore, withCache } from '../src/models/encoders/cache.ts';
import { DEFAULT_ENCODERS, ENCODERS, encoderDir, encoderRow } from '../src/models/encoders/catalogue.ts';
import type { Encoder, Samples } from '../src/models/encoders/contract.ts';
import { createEntityTagger } from '../src/models/encoders/entities.ts';
import { isInstalled } from '../src/models/encoders/files.ts';
import { openEncoder } from '../src/models/encoders/open.ts';
import { median, round, rssMiB } from './lib/machine.ts';

const SECONDS = Number(process.argv[2] ?? 8);
const BATCH = 16;

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

/** Samples per second over the given time, after one batch to warm up. */
async function rate(
  samples: readonly (string | Uint8Array)[],
  step: (batch: readonly never[]) => Promise<unknown>,
): Promise<number> {
  const batchAt = (from: number): readonly never[] => samples.slice(from, from + BATCH) as never[];
  await step(batchAt(0));
  const start = performance.now();
  let done = 0;
  for (let from = 0; performance.now() - start < SECONDS * 1_000; from = (from + BATCH) % samples.length) {
    const batch = batchAt(from);
    await step(batch);
    done += batch.length;
  }
  return (done / (performance.now() - start)) * 1_000;
}

const encoders: Record<string, object> = {};
for (const row of ENCODERS) {
  const dir = encoderDir(row, cacheDir());
  if (!isInstalled(row, dir)) continue;
  const samples = SAMPLES[row.modality];
  const perSecond: Record<string, number> = {};
  let rss = 0;
  let oneMs = 0;
  for (const threads of [1, 2]) {
    const before = rssMiB(process.pid) ?? 0;
    const encoder: Encoder = await openEncoder(row, row.modality, { dir, threads, log: silentLog });
    perSecond[`threads${threads}`] = round(await rate(samples, (batch) => encoder.encode(batch)));
    if (threads === 1) {
      rss = (rssMiB(process.pid) ?? 0) - before;
      const times: number[] = [];
      for (const sample of samples.slice(0, 32)) {
        const start = performance.now();
        await encoder.encode([sample] as Samples[typeof row.modality][] as never);
        times.push(performance.now() - start);
      }
      oneMs = round(median(times));
    }
    await encoder.close();
  }
  encoders[row.id] = { perSecond, oneMs, rssMiB: rss };
}

const folder = await mkdtemp(join(tmpdir(), 'tocsin-bench-encoders-'));
const row = encoderRow(DEFAULT_ENCODERS.text);
const cached = withCache(
  await openEncoder(row, 'text', { dir: encoderDir(row, cacheDir()), threads: 2, log: silentLog }),
  diskStore(folder, row),
);
await cached.encode(SAMPLES.text);
const hits = await rate(SAMPLES.text, (batch) => cached.encode(batch));
await cached.close();
await rm(folder, { recursive: true, force: true });

const tagger = createEntityTagger();
const tagged = await rate(SAMPLES.text, async (batch) => batch.map((sample) => tagger.tag(sample)));

process.stdout.write(
  `${JSON.stringify({
    machine: machine(),
    batch: BATCH,
    encoders,
    diskHitsPerSecond: Math.round(hits),
    entityTextsPerSecond: Math.round(tagged),
  })}\n`,
);
process.exit(0);
