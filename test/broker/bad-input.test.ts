/** Bad input through the running services: each gets its reason, nothing stops, nothing is lost. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { partitionOf } from '../../src/base/murmur2.ts';
import { createCodec } from '../../src/bus/codec.ts';
import type { Bus } from '../../src/bus/port.ts';
import { TOPICS } from '../../src/bus/topics.ts';
import {
  brokenRecords,
  fixturePicture,
  type ImageHost,
  post,
  type RawRecord,
  startImageHost,
} from '../support/hostile.ts';
import {
  busFlags,
  openTarget,
  prepare,
  recordsIn,
  settled,
  startService,
  type Target,
} from '../support/pipeline.ts';
import { eventually, type Running, temporaryFolder, tocsinOk } from '../support/tocsin.ts';

const codec = createCodec();
const folder = temporaryFolder('tocsin-hostile-');
let target: Target;
let bus: Bus;
let host: ImageHost;
const services = new Map<string, Running>();

/** As a foreign client would: no partitioner of ours, no checks of ours. */
async function send(records: readonly RawRecord[]): Promise<void> {
  const kafka = new kafkajs.Kafka({
    brokers: inject('kafkaBrokers').split(','),
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
  await producer.send({
    topic: `${target.environment}.crisis.events.v1`,
    messages: records.map(({ key, value, partition }) => ({
      key,
      value: value === null ? null : Buffer.from(value),
      partition: partition ?? partitionOf(key ?? '', 6),
    })),
  });
  await producer.disconnect();
}

const sendPost = (...args: Parameters<typeof post>): Promise<void> => {
  const made = post(...args);
  return send([{ key: made.id, value: codec.encode(made) }]);
};

async function labelsOf(id: string): Promise<Readonly<Record<string, unknown>>[]> {
  const labels = await recordsIn(bus, TOPICS.labels);
  return labels.filter((l) => l.key === id).map((l) => l.record);
}

beforeAll(async () => {
  target = {
    bus: 'kafka',
    brokers: inject('kafkaBrokers'),
    dataDir: join(folder.path, 'data'),
    environment: `bad-${process.pid}`,
  };
  host = await startImageHost({
    'good.jpg': fixturePicture('scene.jpg'),
    'truncated.jpg': fixturePicture('truncated.jpg'),
    'drawing.svg': fixturePicture('drawing.svg'),
    'page.jpg': fixturePicture('page.jpg'),
    'bomb.png': fixturePicture('bomb-256-megapixels.png'),
  });
  await prepare(target);
  bus = await openTarget(target);
  for (const name of ['label', 'media', 'claims'])
    services.set(name, await startService(target, name, { TOCSIN_FETCH_PRIVATE: '1' }));
}, 120_000);

afterAll(async () => {
  await bus.close();
  for (const service of services.values()) await service.kill('SIGTERM');
  host.close();
  folder.remove();
});

describe('bad input', () => {
  it('ends as a dead letter with its reason, and the partition goes on', async () => {
    const broken = brokenRecords();
    await send(broken.map((b) => b.record));
    // One good post behind the bad ones in every partition.
    const good = Array.from({ length: 400 }, (_, i) => `after-${i}`);
    await send(
      good.map((id) => ({ key: id, value: codec.encode(post(id, 'The bridge at the mill is closed')) })),
    );
    const letters = await eventually('the dead letters', async () => {
      const found = await recordsIn(bus, TOPICS.dlq);
      return found.length >= broken.length && found;
    });
    expect(letters.map((l) => l.record['reason']).sort()).toEqual(broken.map((b) => b.reason).sort());
    await eventually('the good posts', async () => {
      const seen = new Set((await recordsIn(bus, TOPICS.labels)).map((l) => l.key));
      return good.every((id) => seen.has(id));
    });
    await tocsinOk(['audit', ...busFlags(target)]);
  });

  it('labels an empty and a 1 MB text, saying what it did', async () => {
    await sendPost('empty', '');
    await sendPost('huge', 'Wasser steht auf der Straße. '.repeat(34_000).slice(0, 960_000));
    const [empty] = await eventually('the empty post', async () => {
      const labels = await labelsOf('empty');
      return labels.length > 0 && labels;
    });
    expect(empty?.['tasks']).toMatchObject([
      { task: 'informative', decision: 'unsure', probability: null, evidence: ['no_text'] },
      { task: 'humanitarian', decision: 'unsure', probability: null },
    ]);
    const [huge] = await eventually('the huge post', async () => {
      const labels = await labelsOf('huge');
      return labels.length > 0 && labels;
    });
    expect(huge?.['flags']).toContain('truncated');
    expect([...String(huge?.['text'])].length).toBeLessThanOrEqual(4_096);
  });

  it('refuses bad pictures with a reason and keeps the post labelled from its text', async () => {
    const cases: Readonly<Record<string, string>> = {
      'truncated.jpg': 'broken_picture',
      'drawing.svg': 'unsupported_format',
      'page.jpg': 'not_a_picture',
      'bomb.png': 'too_many_pixels',
      'missing.jpg': 'http_status',
    };
    const refs: Record<string, string> = Object.fromEntries(
      Object.keys(cases).map((name) => [name, `${host.url}/${name}`]),
    );
    refs['unreachable'] = 'http://127.0.0.1:1/nobody.jpg';
    refs['file'] = 'file:///etc/passwd';
    await send(
      Object.entries(refs).map(([name, ref]) => ({
        key: `picture-${name}`,
        value: codec.encode(post(`picture-${name}`, 'Flood water in the main street', [ref])),
      })),
    );
    await sendPost('picture-good', 'Flood water in the main street', [`${host.url}/good.jpg`]);
    const expected = { ...cases, unreachable: 'host_unreachable', file: 'unsupported_ref' };
    for (const [name, reason] of Object.entries(expected)) {
      const labels = await eventually(`revision 2 of ${name}`, async () => {
        const found = await labelsOf(`picture-${name}`);
        return found.length === 2 && found;
      });
      expect(labels.map((l) => l['revision'])).toEqual([1, 2]);
      const last = labels[1] as Readonly<Record<string, unknown>>;
      expect(last['pictures']).toMatchObject([{ outcome: 'refused', reason }]);
      expect(last['modalities']).toEqual(['text']);
      expect((last['tasks'] as { probability: number | null }[])[0]?.probability).not.toBeNull();
    }
    const good = await eventually('the good picture', async () => {
      const found = await labelsOf('picture-good');
      return found.length === 2 && found;
    });
    expect(good[1]?.['pictures']).toMatchObject([{ outcome: 'ready' }]);
  });

  it('survives the death of the decoding process and answers every request', async () => {
    await sendPost('in-the-way', 'Waiting for a picture that never comes', [`${host.url}/stall`]);
    await eventually('the stalled fetch', () => host.stalled() > 0);
    const media = services.get('media')?.child.pid;
    const children = execFileSync('pgrep', ['-P', String(media)], { encoding: 'utf8' })
      .split('\n')
      .filter(Boolean);
    expect(children.length).toBeGreaterThan(0);
    for (const child of children) process.kill(Number(child), 'SIGKILL');
    await sendPost('after-the-crash', 'The water is falling', [`${host.url}/good.jpg`]);
    for (const id of ['in-the-way', 'after-the-crash'])
      await eventually(`revision 2 of ${id}`, async () => (await labelsOf(id)).length === 2, {
        timeoutMs: 90_000,
      });
    expect((await labelsOf('after-the-crash'))[1]?.['pictures']).toMatchObject([{ outcome: 'ready' }]);
    for (const service of services.values()) expect(service.child.exitCode).toBeNull();
  });

  it('leaves balanced books behind', async () => {
    const now = JSON.parse(await tocsinOk(['ledger', '--output', 'json', ...busFlags(target)])) as {
      received: number;
    };
    const books = await settled(target, now.received);
    expect(books.received).toBe(books.labelled + books.filtered + books.duplicate + books.dead);
    expect(books.pictures.requested).toBe(books.pictures.ready + books.pictures.refused);
    await tocsinOk(['audit', ...busFlags(target)]);
  });
});
