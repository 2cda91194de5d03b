import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLog } from '../../../src/base/log.ts';
import { partitionOf } from '../../../src/base/murmur2.ts';
import { createCodec } from '../../../src/bus/codec.ts';
import { openEmbeddedBus } from '../../../src/bus/embedded/bus.ts';
import { message } from '../../../src/bus/messages.ts';
import type { Bus, Consumer, OutgoingRecord, ReceivedRecord } from '../../../src/bus/port.ts';
import { loadTopics, TOPICS, topicSpec } from '../../../src/bus/topics.ts';
import { startClaimWorker } from '../../../src/claims/worker.ts';
import type { AnyRecord, Claim, DeadLetter } from '../../../src/event/records.ts';
import { createMetrics, type Metrics } from '../../../src/metrics/metrics.ts';
import { until } from '../../support/until.ts';
import { evidence, type Input, ruling, START } from './evidence.ts';

const codec = createCodec();
const SIMHASH = '0f0f0f0f0f0f0f0f';
const LINEAGE = { traceparent: `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01`, replayId: 'run-1' };

const send = (record: Input, key: string = record.collection): OutgoingRecord =>
  message(codec, TOPICS.evidence, record, {
    key,
    id: 'test',
    source: 'label',
    time: START,
    lineage: LINEAGE,
  });

let dir: string;
let bus: Bus;
let metrics: Metrics;
let consumer: Consumer | null = null;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tocsin-claims-'));
  bus = await openEmbeddedBus({
    dir,
    environment: 'lab',
    maxBytes: 1_000_000_000,
    clock: systemClock,
    log: silentLog,
  });
  await bus.admin.createTopics(loadTopics().map(topicSpec));
  metrics = createMetrics({ bare: true });
});

afterEach(async () => {
  await consumer?.close();
  consumer = null;
  await bus.close();
  await rm(dir, { recursive: true, force: true });
});

async function start(): Promise<void> {
  consumer = await startClaimWorker({ bus, codec, metrics, sliceRecords: 16, sliceMs: 5 });
}

async function stop(): Promise<void> {
  await consumer?.close();
  consumer = null;
}

/** Waits until the worker has committed everything that the topic holds. */
async function worked(): Promise<void> {
  await until(async () => {
    const committed = await bus.admin.committed('claims', TOPICS.evidence);
    const ranges = await bus.admin.ranges(TOPICS.evidence);
    return ranges.every(({ partition, high }) => high === 0n || committed[partition] === high);
  }, 'all evidence worked on');
}

async function records(topic: string): Promise<{ raw: ReceivedRecord; record: AnyRecord }[]> {
  const found: { raw: ReceivedRecord; record: AnyRecord }[] = [];
  for await (const batch of bus.read(topic, { from: 'earliest', stopAtEnd: true }))
    for (const raw of batch) found.push({ raw, record: codec.decode(raw.value ?? new Uint8Array()) });
  return found;
}

const claims = async (): Promise<Claim[]> =>
  (await records(TOPICS.claims)).map(({ record }) => record as Claim);

describe('the claim worker on the embedded bus', () => {
  it('turns evidence and rulings into claims, alerts and feedback, under their keys and with their trace', async () => {
    const posts = Array.from({ length: 12 }, (_, i) =>
      evidence(`p${i}`, { simhash: SIMHASH, createdAt: START + i * 1_000 }),
    );
    await bus.produce(posts.map((post) => send(post)));
    await start();
    await worked();
    await bus.produce([send(ruling('r', { claimId: 'p0' }))]);
    await worked();

    const told = await records(TOPICS.claims);
    expect(told.at(-1)?.record).toMatchObject({ claimId: 'p0', posts: 12, ruling: { id: 'r' } });
    expect(told.every(({ raw, record }) => raw.key === (record as Claim).claimId)).toBe(true);
    expect(told.at(-1)?.raw.headers).toMatchObject({
      traceparent: LINEAGE.traceparent,
      'replay-id': LINEAGE.replayId,
    });
    const alerts = await records(TOPICS.alerts);
    expect(alerts).toMatchObject([
      { raw: { key: 'flood' }, record: { rule: 'claim_surge', state: 'firing' } },
    ]);
    const feedback = await records(TOPICS.feedback);
    expect(feedback).toMatchObject([{ raw: { key: 'flood' }, record: { rulingId: 'r', claimId: 'p0' } }]);
    const exposed = (await metrics.expose()).body;
    expect(exposed).toContain('tocsin_claims 1');
    expect(exposed).toContain('tocsin_alerts_total{rule="claim_surge",state="firing"} 1');
    expect(exposed).toContain('tocsin_outcomes_total{service="claims",outcome="posts",reason=""} 12');
  });

  it('goes on after a restart where it stopped', async () => {
    await bus.produce([send(evidence('a', { simhash: SIMHASH })), send(evidence('b', { simhash: SIMHASH }))]);
    await start();
    await worked();
    await stop();
    await bus.produce([send(evidence('a', { simhash: SIMHASH })), send(evidence('c', { simhash: SIMHASH }))]);
    await start();
    await worked();
    const told = await claims();
    expect(told.at(-1)).toMatchObject({ claimId: 'a', posts: 3 });
    const revisions = told.map(({ revision }) => revision);
    expect(revisions).toEqual([...new Set(revisions)].sort((x, y) => x - y));
  });

  it('puts every unfit record into a dead letter with its reason and goes on', async () => {
    const home = partitionOf('flood', 6);
    const good = send(evidence('a', { simhash: SIMHASH }));
    const at = (record: OutgoingRecord): OutgoingRecord => ({ ...record, partition: home });
    const unfit: readonly (readonly [string, OutgoingRecord])[] = [
      ['bad_avro', at({ ...good, value: new Uint8Array([1, 2, 3]) })],
      ['bad_avro', at({ ...good, value: good.value.slice(0, -3) })],
      [
        'unknown_schema',
        at({ ...good, value: Uint8Array.from(good.value, (byte, i) => (i === 2 ? byte ^ 255 : byte)) }),
      ],
      ['wrong_partition', { ...good, partition: (home + 1) % 6 }],
      ['key_mismatch', { ...good, key: 'quake' }],
      ['bad_field', send(evidence('x', { simhash: 'xyz' }))],
      ['bad_field', send(evidence('x', { perceptualHashes: [{ hash: '1', flipped: '2' }] }))],
      ['bad_field', send(evidence('x', { authorHash: 'Joe' }))],
      ['bad_field', send(evidence(''))],
      ['bad_field', send(ruling('nothing named'))],
      ['bad_field', send(ruling('r', { postId: 'a', task: 'informative', ruling: 'true' }))],
      [
        'unexpected_record',
        at({
          ...good,
          value: codec.encode({
            kind: 'AuditEntry',
            at: START,
            who: 'a',
            what: 'b',
            why: 'c',
            before: null,
            after: null,
            previousHash: '',
          }),
        }),
      ],
    ];
    await bus.produce([
      ...unfit.map(([, record]) => record),
      good,
      send(evidence('b', { simhash: SIMHASH })),
    ]);
    await start();
    await worked();
    const dead = (await records(TOPICS.dlq)).map(({ record }) => record as DeadLetter);
    expect(dead.map(({ reason }) => reason).sort()).toEqual(unfit.map(([reason]) => reason).sort());
    expect(dead.every(({ service, traceparent }) => service === 'claims' && traceparent !== null)).toBe(true);
    expect((await claims()).at(-1)).toMatchObject({ claimId: 'a', posts: 2 });

    const view = await bus.watchState('claims', TOPICS.evidence, (entry) => entry === 'ledger');
    await view.refresh();
    const sums = { received: 0, dead: 0, posts: 0 };
    for (const { entries } of view.partitions().values()) {
      const bytes = entries.get('ledger');
      if (!bytes) continue;
      const row = JSON.parse(new TextDecoder().decode(bytes)) as typeof sums;
      for (const key of ['received', 'dead', 'posts'] as const) sums[key] += row[key];
    }
    expect(sums).toEqual({ received: unfit.length + 2, dead: unfit.length, posts: 2 });
    await view.close();
  });
});
