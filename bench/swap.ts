/**
 * Promotions under a steady load: what a hot swap costs, and how long a rollback takes. Prints one JSON object.
 *   node --import tsx bench/swap.ts --bus embedded|kafka [--promotions N] [--rate POSTS_PER_SECOND] [--every MS] [--calm N]
 * Needs a build (npm run build) and, for kafka, KAFKA_BROKERS.
 */
import { parseArgs } from 'node:util';
import { machine } from '../src/base/machine.ts';
import { promoteUnderLoad } from '../test/support/promotion-suite.ts';
import { percentile } from './lib/machine.ts';

const { values: flags } = parseArgs({
  options: {
    bus: { type: 'string', default: 'embedded' },
    promotions: { type: 'string', default: '20' },
    rate: { type: 'string', default: '300' },
    every: { type: 'string', default: '3000' },
    calm: { type: 'string', default: '10' },
  },
});
const brokers = process.env['KAFKA_BROKERS'];
const { swaps, ...figures } = await promoteUnderLoad({
  bus: flags.bus === 'kafka' ? 'kafka' : 'embedded',
  ...(flags.bus === 'kafka' && brokers ? { brokers } : {}),
  promotions: Number(flags.promotions),
  rate: Number(flags.rate),
  everyMs: Number(flags.every),
  calm: Number(flags.calm),
  missing: false,
});
const spread = (values: readonly number[]): object => ({
  p50: percentile(values, 0.5),
  p99: percentile(values, 0.99),
  max: percentile(values, 1),
});
process.stdout.write(
  `${JSON.stringify({
    bench: 'swap',
    bus: flags.bus,
    rate: Number(flags.rate),
    promotions: swaps.length,
    ...figures,
    pauseMs: spread(swaps.map(({ pauseMs }) => pauseMs)),
    firstLabelMs: spread(swaps.map(({ firstMs }) => firstMs)),
    allPartitionsMs: spread(swaps.map(({ allMs }) => allMs)),
    threads: swaps.map(({ threads }) => threads),
    rssMiB: swaps.map(({ rssMiB }) => rssMiB),
    machine: machine(),
  })}\n`,
);
process.exitCode = figures.faults.length === 0 ? 0 : 1;
// Sockets to a broker may linger; the work is done.
setTimeout(() => process.exit(), 1_000).unref();
