/** tocsin ledger, audit, tail and dlq on a bus that a label worker has written, as a person runs them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { message, NO_LINEAGE } from '../../src/bus/messages.ts';
import { openBus } from '../../src/bus/open.ts';
import type { Bus, OutgoingRecord } from '../../src/bus/port.ts';
import { TOPICS } from '../../src/bus/topics.ts';
import { startLabelWorker } from '../../src/cli/label-worker.ts';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { readLedger, summariseLedger } from '../../src/pipeline/ledger.ts';
import {
  CONTEXT_KEY,
  codec,
  post,
  steadyModels,
  T0,
  tinyScorers,
  tinyWords,
} from '../support/label-harness.ts';
import { inlineLanguages } from '../support/languages.ts';
import { tocsin as runTocsin, temporaryFolder } from '../support/tocsin.ts';
import { until } from '../support/until.ts';

describe('the commands that look into a bus', () => {
  const folder = temporaryFolder('tocsin-inspect-');
  const open = (): Promise<Bus> =>
    openBus(
      { bus: 'embedded', brokers: [], dataDir: folder.path, environment: 'lab', embeddedMaxBytes: 1e9 },
      { clock: systemClock, log: silentLog },
    );
  const tocsin = (...args: string[]): ReturnType<typeof runTocsin> =>
    runTocsin([...args, '--data', folder.path]);
  const event = (id: string): OutgoingRecord =>
    message(codec, TOPICS.events, post(id), { key: id, id, source: 'test', time: T0, lineage: NO_LINEAGE });

  beforeAll(async () => {
    const bus = await open();
    const consumer = await startLabelWorker({
      languages: inlineLanguages,
      bus,
      codec,
      settings: {
        dataDir: folder.path,
        environment: 'lab',
        sliceRecords: 64,
        sliceMs: 5,
        dedupWindowMs: 7_200_000,
        joinWindowMs: 3_600_000,
        shadowShare: 0,
      },
      clock: systemClock,
      log: silentLog,
      metrics: createMetrics({ bare: true }),
      models: steadyModels(tinyScorers),
      words: tinyWords,
      key: CONTEXT_KEY,
    });
    await bus.produce([event('a'), event('b'), event('a'), { ...event('c'), value: Buffer.from('junk') }]);
    await until(async () => {
      const { received, inFlight } = await summariseLedger(bus, await readLedger(bus));
      return received === 4 && inFlight === 0;
    }, 'four posts to be accounted for');
    await consumer.close();
    await bus.close();
  });
  afterAll(() => folder.remove());

  it('print the ledger for people and for programs', async () => {
    const json = await tocsin('ledger', '--output', 'json');
    expect(JSON.parse(json.stdout)).toMatchObject({
      received: 4,
      labelled: 2,
      duplicate: 1,
      dead: 1,
      inFlight: 0,
    });
    expect((await tocsin('ledger')).stdout).toContain(
      'received 4 = labelled 2 + filtered 0 + duplicate 1 + dead 1',
    );
  });

  it('print decoded records, a JSON line each', async () => {
    const { stdout } = await tocsin('tail', TOPICS.labels, '-J', '-e');
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map((line) => line.key).sort()).toEqual(['a', 'b']);
    expect(lines[0]).toMatchObject({
      topic: TOPICS.labels,
      kind: 'Label',
      headers: { ce_type: 'tocsin.Label.v1' },
      record: { revision: 1, text: 'water in the streets' },
    });
    const events = (await tocsin('tail', TOPICS.events, '-J', '-e')).stdout;
    expect(events).toContain(`"value":"${Buffer.from('junk').toString('base64')}"`);
    expect((await tocsin('tail', TOPICS.labels, '-e', '-c', '1')).stdout.trimEnd().split('\n')).toHaveLength(
      1,
    );
  });

  it('refuse a topic that is not there and an offset that is none', async () => {
    expect((await tocsin('tail', 'nothing', '-e')).stderr).toContain('there is no topic nothing');
    expect((await tocsin('tail', TOPICS.labels, '-e', '-o', 'soon')).code).toBe(2);
  });

  it('list dead letters by reason and show one', async () => {
    const [group] = JSON.parse((await tocsin('dlq', 'list', '--output', 'json')).stdout);
    expect(group).toMatchObject({ service: 'label', reason: 'bad_avro', count: 1 });
    const shown = JSON.parse((await tocsin('dlq', 'show', group.sample)).stdout);
    expect(Buffer.from(shown.bytes, 'base64').toString()).toBe('junk');
    expect((await tocsin('dlq', 'show', 'crisis.events.v1/0/99')).code).toBe(1);
  });

  it('audit with exit 0 while all agrees, and 3 once something was made up', async () => {
    expect((await tocsin('audit')).code).toBe(0);
    const bus = await open();
    for await (const batch of bus.read(TOPICS.labels, { from: { lastRecords: 1 }, stopAtEnd: true })) {
      const [label] = batch;
      if (label?.value)
        await bus.produce([{ topic: TOPICS.labels, key: 'a', value: label.value, headers: label.headers }]);
      break;
    }
    await bus.close();
    const { code, stdout } = await tocsin('audit');
    expect(code).toBe(3);
    expect(stdout).toContain('DIFFERS labelled: ledger 2, counted 3');
    expect(stdout).toContain('labels written twice: 1');
  });
});
