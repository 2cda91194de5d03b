/** The label worker over the real embedded bus, with a scorer that is only a rule: books, restart, audit. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { message, NO_LINEAGE } from '../../src/bus/messages.ts';
import { openBus } from '../../src/bus/open.ts';
import type { Bus, Consumer, OutgoingRecord } from '../../src/bus/port.ts';
import { TOPICS } from '../../src/bus/topics.ts';
import { startLabelWorker } from '../../src/cli/label-worker.ts';
import type { AnyRecord, Label, MediaRequest } from '../../src/event/records.ts';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { audit } from '../../src/pipeline/audit.ts';
import { type LedgerSummary, readLedger, summariseLedger } from '../../src/pipeline/ledger.ts';
import {
  answer,
  CONTEXT_KEY,
  codec,
  picture,
  post,
  steadyModels,
  T0,
  tinyScorers,
  tinyWords,
} from '../support/label-harness.ts';
import { inlineLanguages } from '../support/languages.ts';
import { temporaryFolder } from '../support/tocsin.ts';
import { until } from '../support/until.ts';

const MEDIA = [{ id: 'm1', ref: 'https://example.org/1.jpg' }];

describe('the label worker on the embedded bus', () => {
  let folder: ReturnType<typeof temporaryFolder>;
  let bus: Bus;
  const consumers: Consumer[] = [];

  beforeEach(async () => {
    folder = temporaryFolder('tocsin-label-');
    bus = await openBus(
      { bus: 'embedded', brokers: [], dataDir: folder.path, environment: 'lab', embeddedMaxBytes: 1e9 },
      { clock: systemClock, log: silentLog },
    );
  });
  afterEach(async () => {
    for (const consumer of consumers.splice(0)) await consumer.close();
    await bus.close();
    folder.remove();
  });

  const start = async (): Promise<Consumer> => {
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
    consumers.push(consumer);
    return consumer;
  };
  const event = (record: AnyRecord & { readonly createdAt?: number }, key: string): OutgoingRecord =>
    message(codec, TOPICS.events, record, {
      key,
      id: key,
      source: 'test',
      time: record.createdAt ?? T0,
      lineage: NO_LINEAGE,
    });
  const posts = (from: number, to: number): OutgoingRecord[] =>
    Array.from({ length: to - from }, (_, i) => {
      const id = `p${from + i}`;
      return event(post(id, { createdAt: T0 + (from + i) * 1_000, media: i % 10 === 0 ? MEDIA : [] }), id);
    });
  const read = async <R extends AnyRecord>(topic: string): Promise<R[]> => {
    const records: R[] = [];
    for await (const batch of bus.read(topic, { from: 'earliest', stopAtEnd: true }))
      for (const { value } of batch) if (value) records.push(codec.decode(value) as R);
    return records;
  };
  const summary = async (): Promise<LedgerSummary> => summariseLedger(bus, await readLedger(bus));
  const settled = async (): Promise<LedgerSummary> => {
    await until(async () => (await summary()).inFlight === 0, 'the worker to have read everything');
    return summary();
  };

  it('accounts for everything, over restarts and with two workers, and the audit agrees', async () => {
    const first = await start();
    const batch = posts(0, 300);
    await bus.produce(batch);
    await bus.produce([...batch.slice(0, 50), { ...event(post('x'), 'x'), value: Buffer.from('junk') }]);
    await bus.produce([event(picture('y', 'nobody'), 'nobody')]);
    expect(await settled()).toMatchObject({ received: 351, labelled: 300, duplicate: 50, dead: 1 });
    await first.close();

    await bus.produce(posts(300, 600));
    expect((await summary()).inFlight).toBe(300);
    await Promise.all([start(), start()]);
    await settled();
    const requests = await read<MediaRequest>(TOPICS.media);
    expect(requests).toHaveLength(60);
    const answers = requests.map((request) => event(answer(request), request.postId));
    const forged = answer({ ...(requests[0] as MediaRequest), mac: '0'.repeat(64) });
    await bus.produce([...answers, ...answers.slice(0, 5), event(forged, forged.postId)]);
    expect(await settled()).toMatchObject({
      received: 651,
      labelled: 600,
      duplicate: 50,
      dead: 1,
      late: 5,
      imbalance: 0,
      pictures: { requested: 60, ready: 60, refused: 0, pending: 0 },
    });

    const labels = await read<Label>(TOPICS.labels);
    const names = labels.map((label) => `${label.postId}/${label.revision}`);
    expect(names).toHaveLength(660);
    expect(new Set(names).size).toBe(660);
    expect((await read(TOPICS.evidence)).length).toBe(660);
    const report = await audit(bus, codec);
    expect(report.checks.filter((check) => check.agrees !== true)).toEqual([]);
    expect(report).toMatchObject({ agrees: true, repeatedLabels: 0 });
  });

  it('is found out by the audit when a label is missing or made up', async () => {
    await start();
    await bus.produce(posts(0, 20));
    await settled();
    const [label] = await read<Label>(TOPICS.labels);
    await bus.produce([
      message(
        codec,
        TOPICS.labels,
        { ...(label as Label), postId: 'never-seen' },
        {
          key: 'never-seen',
          id: 'x',
          source: 'test',
          time: T0,
          lineage: NO_LINEAGE,
        },
      ),
    ]);
    const report = await audit(bus, codec);
    expect(report.agrees).toBe(false);
    expect(report.checks.filter((check) => check.agrees === false).map((check) => check.name)).toEqual([
      'labelled',
    ]);
  });
});
