/**
 * Rounds of the sidecar until the gate accepts one, and then the whole way, from shadow to canary to all and back, with the real processes under a
 * stream of real posts. What `docs/robustness.md` tells of real rounds comes from it. Prints one JSON object.
 *   node --import tsx bench/chain.ts FOLDER_OF_CRISISLEX [--bus embedded|kafka] [--rounds N] [--rate POSTS_PER_SECOND]
 * Needs a build (npm run build) and, for kafka, KAFKA_BROKERS.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/base/clock.ts';
import { machine } from '../src/base/machine.ts';
import { ARTEFACT_FILES, loadArtefact } from '../src/models/artefact.ts';
import { CHAMPION_DIR } from '../src/registry/champions.ts';
import { readDataset } from '../src/training/read-dataset.ts';
import { parseSplit, pick } from '../src/training/splits.ts';
import { runChain } from '../test/support/chain-suite.ts';
import { temporaryFolder } from '../test/support/tocsin.ts';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    bus: { type: 'string', default: 'embedded' },
    rounds: { type: 'string', default: '5' },
    first: { type: 'string', default: '1' },
    rate: { type: 'string', default: '30' },
  },
});
const [collection] = positionals;
if (!collection) throw new Error('FOLDER_OF_CRISISLEX is needed.');
const brokers = process.env['KAFKA_BROKERS'];
const folder = temporaryFolder('tocsin-chain-');
const champion = await loadArtefact(CHAMPION_DIR);
const data = await readDataset(collection, { task: 'informative', now: systemClock.now() });
const known = new Set(data.examples.map(({ id }) => id));
const { test } = parseSplit(champion.bytes(ARTEFACT_FILES.split));
const stream = pick(
  data,
  test.filter((id) => known.has(id)),
);
try {
  const figures = await runChain({
    target: {
      bus: flags.bus === 'kafka' ? 'kafka' : 'embedded',
      dataDir: folder.path,
      environment: `chain${process.pid}`,
      ...(flags.bus === 'kafka' && brokers ? { brokers } : {}),
    },
    sidecar: {
      TOCSIN_SIDECAR_DATA: join(collection, 'crisislex_t26.tsv'),
      TOCSIN_SIDECAR_EVERYDAY: join(collection, 'crisislex_t6.tsv.gz'),
      TOCSIN_SIDECAR_WORK_PERCENT: '100',
    },
    vault: collection,
    rounds: Number(flags.rounds),
    first: Number(flags.first),
    text: (n) => stream[n % stream.length]?.text ?? '',
    rate: Number(flags.rate),
    shadowEvents: 600,
    canaryMs: 60_000,
    told: (line) => process.stderr.write(`${line}\n`),
  });
  process.stdout.write(
    `${JSON.stringify({ bench: 'chain', bus: flags.bus, ...figures, machine: machine() })}\n`,
  );
} finally {
  folder.remove();
}
