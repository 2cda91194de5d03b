/**
 * A copying consumer on Kafka in a process of its own, which kills or stops itself at a given moment inside a slice.
 * Prints `ready`, and a line of JSON for every warning. Run: node --import tsx test/support/copy-child.ts '<CopyOrder as JSON>'
 */
import { systemClock } from '../../src/base/clock.ts';
import { openKafkaBus } from '../../src/bus/kafka/bus.ts';
import type { Probe } from '../../src/bus/kafka/transaction.ts';

export interface CopyOrder {
  readonly brokers: readonly string[];
  readonly environment: string;
  readonly group: string;
  readonly input: string;
  readonly output: string;
  readonly sliceRecords: number;
  readonly sessionTimeoutMs: number;
  /** Does it to itself when it passes `at` for the n-th time. */
  readonly strike?: { readonly at: Probe; readonly after: number; readonly signal: 'SIGKILL' | 'SIGSTOP' };
}

// A run that is killed must not leave its children behind.
process.stdin.resume();
process.stdin.on('end', () => process.exit());

const order = JSON.parse(process.argv[2] as string) as CopyOrder;
const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
let passed = 0;
const tell = (fields: object, message: string): void => say(JSON.stringify({ ...fields, message }));
const bus = await openKafkaBus({
  brokers: order.brokers,
  environment: order.environment,
  clock: systemClock,
  log: { debug: () => {}, info: () => {}, warn: tell, error: tell },
  sessionTimeoutMs: order.sessionTimeoutMs,
  probe: (point) => {
    if (point !== order.strike?.at) return;
    passed += 1;
    if (passed === order.strike.after) process.kill(process.pid, order.strike.signal);
  },
});
await bus.consume({
  group: order.group,
  topic: order.input,
  mode: 'exactly-once',
  sliceRecords: order.sliceRecords,
  sliceMs: 5,
  concurrency: 3,
  open: async (_partition, restored) => {
    let count = Number(Buffer.from(restored.entries.get('count') ?? Buffer.from('0')).toString());
    return {
      async process(records, transaction) {
        for (const record of records)
          transaction.send({
            topic: order.output,
            key: record.key as string,
            value: record.value as Uint8Array,
            headers: {},
          });
        count += records.length;
        transaction.putState('count', Buffer.from(String(count)));
      },
    };
  },
});
say('ready');
