import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLog } from '../../../src/base/log.ts';
import { partitionOf } from '../../../src/base/murmur2.ts';
import { createCodec } from '../../../src/bus/codec.ts';
import { message, NO_LINEAGE } from '../../../src/bus/messages.ts';
import type { Bus, Consumer, OutgoingRecord } from '../../../src/bus/port.ts';
import { loadTopics, TOPICS, topicSpec } from '../../../src/bus/topics.ts';
import { startClaimWorker } from '../../../src/claims/worker.ts';
import type { AnyRecord, RecordKind, RecordOf, ScoreRequest } from '../../../src/event/records.ts';
import { createMetrics } from '../../../src/metrics/metrics.ts';
import type { RumourInput, RumourScorer } from '../../../src/models/port.ts';
import { startScorerWorker } from '../../../src/scoring/worker.ts';
import { temporaryBus } from '../../support/embedded.ts';
import { until } from '../../support/until.ts';
import { evidence, START } from '../claims/evidence.ts';

const codec = createCodec();
const metrics = createMetrics({ bare: true });

/** Says what the text says: `rumour 0.9` is 0.9. A picture's first byte counts in hundredths. */
function readingScorer(seen: RumourInput[] = []): RumourScorer {
  return {
    model: { name: 'reader', version: '1', sha256: 'a'.repeat(64) },
    thresholds: { name: 'test', yes: 0.8, no: 0.2 },
    score: async (batch) => {
      seen.push(...batch);
      return batch.map(({ text, picture }) => {
        const fromText = /\d\.\d+/.exec(text);
        const probability = picture ? (picture[0] as number) / 100 : fromText ? Number(fromText[0]) : null;
        return {
          probability,
          byModality: { text: probability, image: null },
          modalities: probability === null ? [] : ['text' as const],
        };
      });
    },
    close: async () => {},
  };
}

function request(more: Partial<ScoreRequest> = {}): ScoreRequest {
  return {
    kind: 'ScoreRequest',
    requestId: 'ab'.repeat(16),
    collection: 'flood',
    text: 'rumour 0.9',
    perceptualHashes: [],
    storeKeys: [],
    askedAt: START,
    ...more,
  };
}

const sent = (record: ScoreRequest, key: string = record.requestId): OutgoingRecord =>
  message(codec, TOPICS.scoring, record, {
    key,
    id: 'test',
    source: 'claims',
    time: START,
    lineage: NO_LINEAGE,
  });

const consumers: Consumer[] = [];
afterEach(async () => {
  for (const consumer of consumers.splice(0)) await consumer.close();
});

async function openBus(): Promise<Bus> {
  const bus = await temporaryBus();
  await bus.admin.createTopics(loadTopics().map(topicSpec));
  return bus;
}

async function startScorer(
  bus: Bus,
  scorer: RumourScorer,
  picture: (key: string) => Promise<Uint8Array | null> = async () => null,
  shadow: RumourScorer | null = null,
): Promise<void> {
  const models = {
    catchUp: async () => {},
    lease: () => ({
      value: {
        sequence: 0,
        on: () => ({ answers: scorer as never, shadow: shadow as never }),
        close: async () => {},
      },
      release: () => {},
    }),
  };
  const deps = { bus, codec, metrics, log: silentLog, clock: systemClock, models, picture, shadowShare: 1 };
  consumers.push(await startScorerWorker(deps));
}

async function found<K extends RecordKind>(bus: Bus, topic: string, kind: K): Promise<RecordOf<K>[]> {
  const records: AnyRecord[] = [];
  for await (const batch of bus.read(topic, { from: 'earliest', stopAtEnd: true }))
    for (const { value } of batch) records.push(codec.decode(value ?? new Uint8Array()));
  return records.filter((record) => record.kind === kind) as RecordOf<K>[];
}

describe('the scorer', () => {
  it('answers every request under its collection, with the model and its thresholds', async () => {
    const bus = await openBus();
    await bus.produce([sent(request()), sent(request({ requestId: 'cd'.repeat(16), text: '' }))]);
    await startScorer(bus, readingScorer());
    await until(async () => (await found(bus, TOPICS.evidence, 'Score')).length === 2, 'two answers');
    const scores = await found(bus, TOPICS.evidence, 'Score');
    expect(scores.find(({ requestId }) => requestId === 'ab'.repeat(16))).toMatchObject({
      collection: 'flood',
      outcome: 'scored',
      probability: 0.9,
      evidence: ['from:text'],
      yes: 0.8,
      no: 0.2,
      model: { name: 'reader' },
    });
    expect(scores.find(({ requestId }) => requestId === 'cd'.repeat(16))).toMatchObject({
      outcome: 'scored',
      probability: null,
      evidence: ['no_content'],
    });
  });

  it('looks at every picture, answers with the most suspicious, and says which previews were missing', async () => {
    const bus = await openBus();
    const seen: RumourInput[] = [];
    await bus.produce([sent(request({ text: 'look', storeKeys: ['dull', 'loud', 'gone'] }))]);
    await startScorer(bus, readingScorer(seen), async (key) =>
      key === 'gone' ? null : new Uint8Array(224 * 224 * 3).fill(key === 'loud' ? 70 : 10),
    );
    await until(async () => (await found(bus, TOPICS.evidence, 'Score')).length === 1, 'the answer');
    expect(seen.map(({ picture }) => picture?.[0])).toEqual([10, 70]);
    expect((await found(bus, TOPICS.evidence, 'Score'))[0]).toMatchObject({
      probability: 0.7,
      evidence: ['preview_missing:1', 'from:text'],
    });
  });

  it('says how much of the score stands on the text and how much on the picture', async () => {
    const bus = await openBus();
    await bus.produce([sent(request({ text: 'look', storeKeys: ['a'] }))]);
    const both = { probability: 0.9, byModality: { text: 0.8, image: 0.5 }, modalities: ['text', 'image'] };
    const scorer = { ...readingScorer(), score: async () => [both] } as RumourScorer;
    await startScorer(bus, scorer, async () => new Uint8Array());
    await until(async () => (await found(bus, TOPICS.evidence, 'Score')).length === 1, 'the answer');
    // Log-odds 2.197 fall to 0 without the text and to 1.386 without the picture: 2.197 of 3.008.
    expect((await found(bus, TOPICS.evidence, 'Score'))[0]).toMatchObject({
      byModality: { text: 0.8, image: 0.5 },
      evidence: ['from:text', 'from:image', 'text_share:73'],
    });
  });

  it.each([
    [
      'says the contrary',
      async () => [{ probability: 0.2, byModality: { text: null, image: null }, modalities: [] }],
      { probability: 0.2, model: { name: 'other' } },
    ],
    ['fails', async () => Promise.reject(new Error('no')), null],
  ])('answers as the champion does when a challenger in the shadow %s', async (what, score, challenger) => {
    const bus = await openBus();
    await bus.produce([sent(request())]);
    const reader = readingScorer();
    const shadow: RumourScorer = { ...reader, model: { ...reader.model, name: 'other' }, score };
    await startScorer(bus, readingScorer(), undefined, shadow);
    await until(async () => (await found(bus, TOPICS.evidence, 'Score')).length === 1, 'the answer');
    expect((await found(bus, TOPICS.evidence, 'Score'))[0]).toMatchObject({
      probability: 0.9,
      model: { name: 'reader' },
      challenger,
    });
    const name = what === 'fails' ? 'failures_total' : 'difference_count';
    expect((await metrics.expose()).body).toMatch(new RegExp(`tocsin_shadow_${name}\\{task="rumour"\\} 1`));
  });

  it('buries what it cannot work on, and answers it where a claim may be waiting', async () => {
    const bus = await openBus();
    const good = request();
    const home = partitionOf(good.requestId, 6);
    await bus.produce([
      { ...sent(good), value: new Uint8Array([1, 2, 3]) },
      { ...sent(good), partition: (home + 1) % 6 },
      sent(good, 'another key'),
      sent(request({ requestId: 'ef'.repeat(16) })),
    ]);
    await startScorer(bus, readingScorer());
    await until(async () => (await found(bus, TOPICS.evidence, 'Score')).length === 3, 'three answers');
    const dead = await found(bus, TOPICS.dlq, 'DeadLetter');
    expect(dead.map(({ reason }) => reason).sort()).toEqual(['bad_avro', 'key_mismatch', 'wrong_partition']);
    const scores = await found(bus, TOPICS.evidence, 'Score');
    expect(scores.map(({ outcome }) => outcome).sort()).toEqual(['failed', 'failed', 'scored']);
    expect(scores.filter(({ outcome }) => outcome === 'failed').map((s) => s.evidence)).toEqual([
      ['bad_request'],
      ['bad_request'],
    ]);
  });

  it('makes a claim of posts a scored one, and tells the posts', async () => {
    const bus = await openBus();
    const posts = ['a', 'b'].map((id) =>
      evidence(id, { text: `rumour 0.9 ${id}`, simhash: '0f0f0f0f0f0f0f0f' }),
    );
    await bus.produce(
      posts.map((post) =>
        message(codec, TOPICS.evidence, post, {
          key: post.collection,
          id: post.postId,
          source: 'label',
          time: START,
          lineage: NO_LINEAGE,
        }),
      ),
    );
    consumers.push(await startClaimWorker({ bus, codec, metrics, sliceRecords: 16, sliceMs: 5 }));
    await startScorer(bus, readingScorer());
    await until(async () => (await found(bus, TOPICS.rumors, 'Rumour')).length === 2, 'two rumours');
    const claim = (await found(bus, TOPICS.claims, 'Claim')).at(-1);
    expect(claim).toMatchObject({
      claimId: 'a',
      rumour: { status: 'scored', probability: 0.9, decision: 'yes', evidence: ['contents:2', 'from:text'] },
    });
    expect(await found(bus, TOPICS.scoring, 'ScoreRequest')).toHaveLength(2);
  });
});
