/**
 * npm run bench: every published figure, as JSON on stdout (one object with all results) and under docs/ with --write.
 *   --only name,…   some of them     --soak   also ten minutes of steady load
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, install, ROOT, requireNode } from './lib/setup.mjs';

requireNode();
install();
build();

const pipeline = (bus, name, ...more) => ({
  name: `${name}-${bus}`,
  bus,
  args: ['bench/pipeline.ts', '--bus', bus, '--case', name, ...more],
});
const BENCHES = [
  { name: 'mmn', args: ['bench/mmn.ts'] },
  { name: 'models', args: ['src/cli/main.ts', 'bench', 'models'] },
  { name: 'attack-words', args: ['bench/attack-words.ts'] },
  { name: 'bus-embedded', args: ['bench/bus-embedded.ts'] },
  { name: 'label-stages', args: ['bench/label-stages.ts'] },
  { name: 'media', args: ['bench/media.ts'] },
  { name: 'encoders', args: ['bench/encoders.ts'] },
  { name: 'claims', args: ['bench/claims.ts'] },
  { name: 'swap-memory', args: ['bench/swap-memory.ts'] },
  { name: 'sidecar-round', args: ['bench/sidecar-round.ts'] },
  ...['embedded', 'kafka'].flatMap((bus) => [
    pipeline(bus, 'label'),
    pipeline(bus, 'chain'),
    pipeline(bus, 'latency'),
    pipeline(bus, 'pictures'),
    pipeline(bus, 'repeats'),
    { name: `swap-${bus}`, bus, args: ['bench/swap.ts', '--bus', bus] },
  ]),
];
const SOAK = pipeline('kafka', 'soak');

const only = process.argv.includes('--only')
  ? process.argv[process.argv.indexOf('--only') + 1].split(',')
  : null;
const chosen = [...BENCHES, ...(process.argv.includes('--soak') ? [SOAK] : [])].filter(
  (b) => !only || only.includes(b.name),
);

const env = { ...process.env };
let kafkaDir = null;
const tocsin = (...args) =>
  spawnSync(process.execPath, ['bin/tocsin.mjs', ...args], { cwd: ROOT, encoding: 'utf8' });
if (chosen.some((b) => b.bus === 'kafka') && !env.KAFKA_BROKERS) {
  kafkaDir = mkdtempSync(join(tmpdir(), 'tocsin-bench-kafka-'));
  const started = tocsin('kafka', 'start', '--data', kafkaDir);
  env.KAFKA_BROKERS = /([\w.]+:\d+)/.exec(started.stdout)?.[1];
  if (started.status !== 0 || !env.KAFKA_BROKERS) throw new Error(`no broker: ${started.stderr}`);
}
const results = [];
let failed = 0;
try {
  for (const { name, args } of chosen) {
    console.error(`${name} …`);
    const run = spawnSync(process.execPath, ['--import', 'tsx', ...args], {
      cwd: ROOT,
      encoding: 'utf8',
      env,
      maxBuffer: 1 << 26,
    });
    try {
      const result = JSON.parse(run.stdout.trim().split('\n').at(-1));
      results.push({ name, ...result });
      console.error(`  ${JSON.stringify(result).slice(0, 300)}`);
    } catch {
      failed += 1;
      console.error(run.stderr || run.stdout);
      results.push({ name, failed: true });
    }
  }
} finally {
  if (kafkaDir) {
    tocsin('kafka', 'stop', '--data', kafkaDir);
    rmSync(kafkaDir, { recursive: true, force: true });
  }
}
const text = `${JSON.stringify(results, null, 2)}\n`;
process.stdout.write(text);
if (process.argv.includes('--write')) writeFileSync(join(ROOT, 'bench', 'results.json'), text);
process.exit(failed === 0 ? 0 : 1);
