import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLog } from '../../../src/base/log.ts';
import { partitionOf } from '../../../src/base/murmur2.ts';
import { createCodec } from '../../../src/bus/codec.ts';
import { message, NO_LINEAGE } from '../../../src/bus/messages.ts';
import { openBus } from '../../../src/bus/open.ts';
import type { Bus, Consumer, OutgoingRecord, ReceivedRecord } from '../../../src/bus/port.ts';
import { TOPICS } from '../../../src/bus/topics.ts';
import type { AnyRecord, Media, MediaRequest } from '../../../src/event/records.ts';
import { createDecoder } from '../../../src/media/decoder.ts';
import { createPictures, type Pictures, refusedPicture } from '../../../src/media/pictures.ts';
import { type MediaStore, openMediaStore } from '../../../src/media/store.ts';
import { MAX_PICTURES, startMediaWorker } from '../../../src/media/worker.ts';
import { createMetrics, type Metrics } from '../../../src/metrics/metrics.ts';
import { fixturePicture } from '../../support/pictures.ts';
import { until } from '../../support/until.ts';

const codec = createCodec();

function mediaRequest(postId: string, media: readonly Media[]): MediaRequest {
  return {
    kind: 'MediaRequest',
    postId,
    mediaSetHash: 'a'.repeat(32),
    media,
    context: {
      labelId: postId,
      revision: 2,
      text: 'water in the street',
      language: 'en',
      collection: 'test',
      source: 'test',
      createdAt: 1_700_000_000_000,
      authorHash: null,
      flags: ['truncated'],
      synthetic: true,
    },
    mac: 'b'.repeat(64),
  };
}

const LINEAGE = { traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`, replayId: 'replay-1' };

const outgoing = (request: MediaRequest, more: Partial<OutgoingRecord> = {}): OutgoingRecord => ({
  ...message(codec, TOPICS.media, request, {
    key: request.postId,
    id: request.postId,
    source: 'label',
    time: request.context.createdAt,
    lineage: LINEAGE,
  }),
  ...more,
});

/** Settles by the name: everything is refused as unsupported, but what the test says otherwise. */
const scripted = (settle: (ref: string) => Promise<unknown> = async () => {}): Pictures => ({
  settle: async (ref) => {
    await settle(ref);
    return refusedPicture('unsupported_ref');
  },
  close: async () => {},
});

describe('media worker on the embedded bus', () => {
  let dir: string;
  let bus: Bus;
  let store: MediaStore;
  let metrics: Metrics;
  let consumers: Consumer[];

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'tocsin-media-'));
    store = openMediaStore(dir);
    metrics = createMetrics({ bare: true });
    consumers = [];
    bus = await openBus(
      { bus: 'embedded', brokers: [], dataDir: dir, environment: 'lab', embeddedMaxBytes: 500_000_000 },
      { clock: systemClock, log: silentLog },
    );
  });
  afterEach(async () => {
    for (const consumer of consumers) await consumer.close();
    await bus.close();
    rmSync(dir, { recursive: true, force: true });
  });

  async function start(pictures: Pictures): Promise<Consumer> {
    const consumer = await startMediaWorker({
      bus,
      codec,
      pictures,
      metrics,
      log: silentLog,
      clock: systemClock,
    });
    consumers.push(consumer);
    return consumer;
  }

  async function all(topic: string): Promise<ReceivedRecord[]> {
    const found: ReceivedRecord[] = [];
    for await (const batch of bus.read(topic, { from: 'earliest', stopAtEnd: true })) found.push(...batch);
    return found;
  }
  const decoded = async (topic: string): Promise<AnyRecord[]> =>
    (await all(topic)).map(({ value }) => codec.decode(value as Uint8Array));
  const wait = (topic: string, count: number): Promise<void> =>
    until(async () => (await all(topic)).length >= count, `${count} records in ${topic}`);

  it('answers a request with one MediaEvent under its key, everything brought back unchanged', async () => {
    const decoder = createDecoder({
      settings: { fetchHosts: ['*'], fetchPrivate: false, dataDir: dir },
      clock: systemClock,
      log: silentLog,
      metrics,
    });
    const pictures = createPictures({ previews: store.previews, decoder, clock: systemClock, metrics });
    try {
      const good = await store.quarantine.put(fixturePicture('scene.jpg'));
      const bad = await store.quarantine.put(fixturePicture('drawing.svg'));
      const request = mediaRequest('post-1', [
        { id: 'm0', ref: `store:${good}` },
        { id: 'm1', ref: `store:${bad}` },
        { id: 'm2', ref: 'http://169.254.169.254/latest/' },
        { id: 'm3', ref: 'archive:picture.jpg' },
      ]);
      await bus.produce([outgoing(request)]);
      await start(pictures);
      await wait(TOPICS.events, 1);
      const [event] = await decoded(TOPICS.events);
      const { kind, postId, mediaSetHash, media, context, mac } = request;
      expect(event).toMatchObject({ postId, mediaSetHash, media, context, mac });
      expect(kind).toBe('MediaRequest');
      expect(event).toMatchObject({
        kind: 'MediaEvent',
        items: [
          { id: 'm0', outcome: 'ready', reason: null },
          { id: 'm1', outcome: 'refused', reason: 'unsupported_format', storeKey: null },
          { id: 'm2', outcome: 'refused', reason: 'private_address' },
          { id: 'm3', outcome: 'refused', reason: 'unsupported_ref' },
        ],
      });
      const item = event?.kind === 'MediaEvent' ? event.items[0] : undefined;
      expect(item?.pixels64).toHaveLength(12_288);
      expect(await store.previews.has(item?.storeKey ?? '')).toBe(true);
      const [record] = await all(TOPICS.events);
      expect(record?.key).toBe('post-1');
      expect(record?.headers).toMatchObject({
        traceparent: LINEAGE.traceparent,
        'replay-id': 'replay-1',
        ce_type: 'tocsin.MediaEvent.v1',
        ce_source: 'tocsin/media',
      });
    } finally {
      await pictures.close();
    }
  });

  it('answers every request of many, once each', async () => {
    const ids = Array.from({ length: 200 }, (_, i) => `post-${i}`);
    await bus.produce(ids.map((id) => outgoing(mediaRequest(id, [{ id: 'm', ref: id }]))));
    await start(scripted());
    await wait(TOPICS.events, 200);
    expect((await all(TOPICS.events)).map(({ key }) => key).sort()).toEqual([...ids].sort());
    await until(
      async () => (await metrics.expose()).body.includes('consumed_total{topic="crisis.media.v1"} 200'),
      'the commits to be counted',
    );
  });

  it('gives the same answer again when a request comes again after a fault', async () => {
    let faults = 1;
    const pictures = scripted(async () => {
      if (faults-- > 0) throw new Error('the disk is full');
    });
    await bus.produce([outgoing(mediaRequest('post-1', [{ id: 'm', ref: 'x' }]))]);
    await start(pictures);
    await wait(TOPICS.events, 1);
    expect(await decoded(TOPICS.events)).toMatchObject([{ postId: 'post-1' }]);
    // The same request once more, as after a death between sending and committing: an equal event.
    await bus.produce([outgoing(mediaRequest('post-1', [{ id: 'm', ref: 'x' }]))]);
    await wait(TOPICS.events, 2);
    const [first, second] = await decoded(TOPICS.events);
    expect(second).toEqual(first);
  });

  it('continues where it stopped', async () => {
    await bus.produce([outgoing(mediaRequest('post-1', [{ id: 'm', ref: 'x' }]))]);
    const consumer = await start(scripted());
    await wait(TOPICS.events, 1);
    await consumer.close();
    await bus.produce([outgoing(mediaRequest('post-2', [{ id: 'm', ref: 'x' }]))]);
    await start(scripted());
    await wait(TOPICS.events, 2);
    expect(
      (await decoded(TOPICS.events)).map((event) => event.kind === 'MediaEvent' && event.postId),
    ).toEqual(expect.arrayContaining(['post-1', 'post-2']));
  });

  it('does not let a slow picture hold up another partition', async () => {
    let release: () => void = () => {};
    const slow = new Promise<void>((resolve) => {
      release = resolve;
    });
    const other = Array.from({ length: 50 }, (_, i) => `post-${i}`).find(
      (id) => partitionOf(id, 6) !== partitionOf('slow', 6),
    ) as string;
    await bus.produce([outgoing(mediaRequest('slow', [{ id: 'm', ref: 'slow' }]))]);
    await start(scripted((ref) => (ref === 'slow' ? slow : Promise.resolve())));
    await bus.produce([outgoing(mediaRequest(other, [{ id: 'm', ref: 'fast' }]))]);
    await wait(TOPICS.events, 1);
    expect((await all(TOPICS.events)).map(({ key }) => key)).toEqual([other]);
    release();
    await wait(TOPICS.events, 2);
  });

  it('looks at no more than so many pictures of a post', async () => {
    const media = Array.from({ length: MAX_PICTURES + 5 }, (_, i) => ({ id: `m${i}`, ref: 'x' }));
    await bus.produce([outgoing(mediaRequest('post-1', media))]);
    await start(scripted());
    await wait(TOPICS.events, 1);
    const [event] = await decoded(TOPICS.events);
    const reasons = event?.kind === 'MediaEvent' ? event.items.map(({ reason }) => reason) : [];
    expect(reasons).toHaveLength(MAX_PICTURES + 5);
    expect(reasons.filter((reason) => reason === 'too_many_pictures')).toHaveLength(5);
  });

  it('turns what it cannot read into dead letters and goes on', async () => {
    const value = (record: AnyRecord): Uint8Array => codec.encode(record);
    const request = mediaRequest('post-1', [{ id: 'm', ref: 'x' }]);
    const bad: OutgoingRecord[] = [
      outgoing(request, { value: new TextEncoder().encode('no avro'), key: 'bad-1' }),
      outgoing(request, { value: value(request).subarray(0, 40), key: 'bad-2' }),
      outgoing(request, { value: Uint8Array.from([0xc3, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9]), key: 'bad-3' }),
      outgoing(request, {
        value: value({ kind: 'StateEntry', upto: 1, value: new Uint8Array() }),
        key: 'bad-4',
      }),
    ];
    await bus.produce([...bad, outgoing(request)]);
    await start(scripted());
    await wait(TOPICS.dlq, 4);
    await wait(TOPICS.events, 1);
    const letters = (await decoded(TOPICS.dlq)).filter((record) => record.kind === 'DeadLetter');
    expect(letters.map(({ reason }) => reason).sort()).toEqual([
      'bad_avro',
      'bad_avro',
      'unexpected_record',
      'unknown_schema',
    ]);
    expect(letters.every(({ service, topic }) => service === 'media' && topic === TOPICS.media)).toBe(true);
    expect((await all(TOPICS.dlq)).map(({ key }) => key).sort()).toEqual([
      'bad-1',
      'bad-2',
      'bad-3',
      'bad-4',
    ]);
    expect((await all(TOPICS.events)).map(({ key }) => key)).toEqual(['post-1']);
  });

  it('answers a dead-lettered request that it can read, so that nothing stays pending', async () => {
    const media = [{ id: 'm', ref: 'x' }];
    const foreign = (partitionOf('post-2', 6) + 1) % 6;
    const insane = mediaRequest('post-3', media);
    await bus.produce([
      outgoing(mediaRequest('post-1', media), { key: 'another-key' }),
      outgoing(mediaRequest('post-2', media), { partition: foreign }),
      message(
        codec,
        TOPICS.media,
        { ...insane, context: { ...insane.context, createdAt: 9e15 } },
        {
          key: 'post-3',
          id: 'post-3',
          source: 'label',
          time: 0,
          lineage: NO_LINEAGE,
        },
      ),
    ]);
    await start(scripted());
    await wait(TOPICS.events, 3);
    const letters = (await decoded(TOPICS.dlq)).filter((record) => record.kind === 'DeadLetter');
    expect(letters.map(({ reason }) => reason).sort()).toEqual([
      'bad_field',
      'key_mismatch',
      'wrong_partition',
    ]);
    for (const event of await decoded(TOPICS.events))
      expect(event).toMatchObject({ items: [{ id: 'm', outcome: 'refused', reason: 'bad_request' }] });
    expect((await all(TOPICS.events)).map(({ key }) => key).sort()).toEqual(['post-1', 'post-2', 'post-3']);
  });
});
