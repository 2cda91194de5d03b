/**
 * A consumer in a process of its own, to be killed: copies every record to the output topic and counts in its state.
 * Prints `mid-slice` and hangs inside `process` once it has seen `hangAfter` records.
 * Run: node --import tsx test/support/bus-child.ts '<ChildOrder as JSON>'
 */
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import type { Bus } from '../../src/bus/port.ts';

/** How a child process opens the bus. */
export type ChildBus =
  | {
      readonly kind: 'embedded';
      readonly dir: string;
      readonly environment: string;
      readonly maxBytes: number;
    }
  | { readonly kind: 'kafka'; readonly brokers: readonly string[]; readonly environment: string };

export interface ChildOrder {
  readonly bus: ChildBus;
  readonly group: string;
  readonly topic: string;
  readonly output: string;
  readonly sliceRecords: number;
  readonly hangAfter: number;
}

async function open(settings: ChildBus): Promise<Bus> {
  const deps = { clock: systemClock, log: silentLog };
  if (settings.kind === 'embedded') {
    const { openEmbeddedBus } = await import('../../src/bus/embedded/bus.ts');
    return openEmbeddedBus({ ...settings, ...deps });
  }
  const { openKafkaBus } = await import('../../src/bus/kafka/bus.ts');
  return openKafkaBus({ ...settings, ...deps });
}

const order = JSON.parse(process.argv[2] as string) as ChildOrder;
const bus = await open(order.bus);
let seen = 0;
await bus.consume({
  group: order.group,
  topic: order.topic,
  mode: 'exactly-once',
  sliceRecords: order.sliceRecords,
  sliceMs: 5,
  concurrency: 2,
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
        seen += records.length;
        if (seen >= order.hangAfter) {
          process.stdout.write('mid-slice\n');
          await new Promise(() => {});
        }
      },
    };
  },
});
process.stdout.write('ready\n');
setInterval(() => {}, 60_000);
