import { describe, expect, it } from 'vitest';
import { traceparentFor } from '../../../src/bus/messages.ts';
import { TOPICS } from '../../../src/bus/topics.ts';
import type { Label, MediaRequest } from '../../../src/event/records.ts';
import { createMetrics } from '../../../src/metrics/metrics.ts';
import { NORMALISER_VERSION } from '../../../src/normalise/text.ts';
import { mediaSetHash, signContext } from '../../../src/pipeline/media-context.ts';
import {
  answer,
  CONTEXT_KEY,
  createLabelHarness,
  ENVIRONMENT,
  input,
  picture,
  post,
  readyItem,
  refusedItem,
  stillClock,
  T0,
} from '../../support/label-harness.ts';

const HOUR = 3_600_000;
const MEDIA = [
  { id: 'm1', ref: 'https://example.org/1.jpg' },
  { id: 'm2', ref: 'https://example.org/2.jpg' },
];
const brief = ({ postId, revision, modalities, pictures }: Label): unknown => [
  postId,
  revision,
  modalities.join('+'),
  pictures.map((p) => `${p.id} ${p.outcome}${p.reason === null ? '' : ` ${p.reason}`}`),
];
const only = <T>(items: readonly T[]): T => {
  expect(items).toHaveLength(1);
  return items[0] as T;
};

describe('a post without pictures', () => {
  it('becomes revision 1, with its evidence', async () => {
    const harness = createLabelHarness();
    const outputs = await harness.run(
      input(post('p1', { text: 'RT @joe: WATER in town! https://t.co/x', authorHash: 'ab'.repeat(16) })),
    );
    const label = only(outputs.labels);
    expect(label).toMatchObject({
      postId: 'p1',
      revision: 1,
      text: 'WATER in town! 🔗',
      language: 'en',
      collection: 'flood',
      source: 'test',
      createdAt: T0,
      receivedAt: T0,
      authorHash: 'ab'.repeat(16),
      modalities: ['text'],
      pictures: [],
      flags: ['retweet'],
      normaliser: NORMALISER_VERSION,
      thresholds: 'tiny-1 tiny-2',
    });
    expect(label.tasks[0]).toMatchObject({ task: 'informative', model: { name: 'tiny' } });
    expect(only(outputs.evidence)).toMatchObject({
      postId: 'p1',
      revision: 1,
      text: label.text,
      perceptualHashes: [],
      authorHash: 'ab'.repeat(16),
      style: { links: 1, retweet: 1, exclamations: 1 },
      informative: label.tasks[0]?.probability,
    });
    expect(outputs.requests).toEqual([]);
  });

  it('writes label and evidence under their keys, with the headers of CloudEvents and the trace', async () => {
    const { all } = await createLabelHarness().run(input(post('p1'), { headers: { 'replay-id': 'r7' } }));
    expect(all.map(({ message }) => [message.topic, message.key])).toEqual([
      [TOPICS.labels, 'p1'],
      [TOPICS.evidence, 'flood'],
    ]);
    for (const { message } of all)
      expect(message.headers).toMatchObject({
        ce_id: 'p1/1',
        ce_source: 'tocsin/label',
        traceparent: traceparentFor('p1'),
        'replay-id': 'r7',
      });
  });

  it('is unsure of an empty text, and flags a long one', async () => {
    const { labels } = await createLabelHarness().run(
      input(post('empty', { text: ' \u200b ' })),
      input(post('long', { text: 'water '.repeat(2_000) })),
    );
    expect(
      labels.map((label) => [label.flags, label.tasks[0]?.decision, label.tasks[0]?.evidence[0]]),
    ).toEqual([
      [['empty_text'], 'unsure', 'no_text'],
      [['truncated'], expect.anything(), undefined],
    ]);
  });
});

describe('a post with pictures', () => {
  it('is labelled from its text at once and again when all pictures are settled', async () => {
    const harness = createLabelHarness();
    const first = await harness.run(input(post('p1', { media: MEDIA, receivedAt: T0 + 5 })));
    expect(first.labels.map(brief)).toEqual([['p1', 1, 'text', ['m1 pending', 'm2 pending']]]);
    const request = only(first.requests);
    expect(request).toMatchObject({
      postId: 'p1',
      mediaSetHash: mediaSetHash('p1', MEDIA),
      media: MEDIA,
      context: { labelId: 'p1', revision: 2, text: 'water in the streets' },
      mac: signContext(CONTEXT_KEY, ENVIRONMENT, request),
    });
    expect(harness.ledger()).toMatchObject({ labelled: 1, picturesRequested: 2, picturesReady: 0 });

    const second = await harness.run(
      input(answer(request, (id) => (id === 'm1' ? readyItem(id) : refusedItem(id, 'too_large')))),
    );
    expect(second.labels.map(brief)).toEqual([['p1', 2, 'text+image', ['m1 ready', 'm2 refused too_large']]]);
    expect(only(second.labels)).toMatchObject({ receivedAt: T0 + 5, pictures: [{ storeKey: 'cafe' }, {}] });
    expect(only(second.evidence)).toMatchObject({
      revision: 2,
      perceptualHashes: [{ hash: '00ff00ff00ff00ff', flipped: 'ff00ff00ff00ff00' }],
      storeKeys: ['cafe'],
    });
    expect(harness.ledger()).toMatchObject({
      received: 1,
      labelled: 1,
      picturesRequested: 2,
      picturesReady: 1,
      picturesRefused: 1,
    });
    expect([...harness.state.keys()].filter((entry) => entry.startsWith('pending/'))).toEqual([]);
  });

  it('stays labelled from its text when all pictures were refused, with the reasons', async () => {
    const harness = createLabelHarness();
    const { requests } = await harness.run(input(post('p1', { media: MEDIA })));
    const { labels } = await harness.run(input(answer(only(requests), (id) => refusedItem(id, 'not_found'))));
    expect(labels.map(brief)).toEqual([['p1', 2, 'text', ['m1 refused not_found', 'm2 refused not_found']]]);
  });

  it('without text is unsure first, then labelled from the picture', async () => {
    const harness = createLabelHarness();
    const first = await harness.run(input(post('p1', { text: '', media: MEDIA })));
    expect(only(first.labels).tasks[0]).toMatchObject({ decision: 'unsure', evidence: ['no_text'] });
    const second = await harness.run(input(answer(only(first.requests), (id) => readyItem(id, 255))));
    expect(only(second.labels)).toMatchObject({
      modalities: ['image'],
      tasks: [{ decision: 'yes' }, { label: 'wet', decision: 'yes' }],
    });
  });

  it('keeps a long text within the context, flagged in revision 2', async () => {
    const harness = createLabelHarness();
    const { requests, labels } = await harness.run(
      input(post('p1', { text: '水'.repeat(5_000), media: MEDIA })),
    );
    expect([...only(labels).text]).toHaveLength(4_096);
    expect(Buffer.byteLength(JSON.stringify(only(requests).context))).toBeLessThanOrEqual(4_096);
    const second = await harness.run(input(answer(only(requests))));
    expect(only(second.labels).flags).toEqual(['truncated', 'context_cut']);
  });

  it('counts what an answer leaves out or spoils as refused', async () => {
    const harness = createLabelHarness();
    const { requests } = await harness.run(input(post('p1', { media: MEDIA })));
    const whole = answer(only(requests));
    const { labels } = await harness.run(
      input({ ...whole, items: [{ ...readyItem('m2'), pixels64: Buffer.alloc(5) }, readyItem('m3')] }),
    );
    expect(labels.map(brief)).toEqual([
      ['p1', 2, 'text', ['m1 refused unanswered', 'm2 refused bad_answer']],
    ]);
    expect(harness.ledger()).toMatchObject({ picturesReady: 0, picturesRefused: 2 });
  });
});

describe('an answer', () => {
  it('counts once: again, or to nobody, it is late', async () => {
    const harness = createLabelHarness();
    const { requests } = await harness.run(input(post('p1', { media: MEDIA })));
    const event = input(answer(only(requests)));
    const { labels } = await harness.run(event, event, event);
    expect(labels).toHaveLength(1);
    expect(harness.ledger()).toMatchObject({ late: 2, dead: 0, deadOther: 0, received: 1 });
  });

  it.each<[string, (request: MediaRequest) => MediaRequest]>([
    ['a made-up mac', (request) => ({ ...request, mac: 'f'.repeat(64) })],
    ['another text', (request) => ({ ...request, context: { ...request.context, text: 'all is well' } })],
    ['another label', (request) => ({ ...request, context: { ...request.context, labelId: 'p9' } })],
    ['other pictures', (request) => ({ ...request, media: [{ id: 'm1', ref: 'https://evil.example/' }] })],
  ])('with %s is a dead letter, and the true one still counts', async (_name, forge) => {
    const harness = createLabelHarness();
    const request = only((await harness.run(input(post('p1', { media: MEDIA })))).requests);
    const forged = await harness.run(input(answer(forge(request))));
    expect(only(forged.dead).reason).toBe('bad_mac');
    expect(forged.labels).toEqual([]);
    expect((await harness.run(input(answer(request)))).labels).toHaveLength(1);
    expect(harness.ledger()).toMatchObject({ received: 1, labelled: 1, dead: 0, deadOther: 1 });
  });

  it('that never comes is given after a day, as refused', async () => {
    const clock = stillClock();
    const harness = createLabelHarness({ clock });
    const { requests } = await harness.run(input(post('p1', { media: MEDIA })));
    clock.move(24 * HOUR);
    expect((await harness.run(input(post('p2')))).labels.map(brief)).toEqual([['p2', 1, 'text', []]]);
    await harness.reopen();
    clock.move(1);
    const { labels } = await harness.run(input(post('p3')));
    expect(labels.map(brief)).toEqual([
      ['p3', 1, 'text', []],
      ['p1', 2, 'text', ['m1 refused expired', 'm2 refused expired']],
    ]);
    await harness.run(input(answer(only(requests))));
    expect(harness.ledger()).toMatchObject({
      picturesRequested: 2,
      picturesRefused: 2,
      picturesReady: 0,
      late: 1,
    });
  });

  it('is no longer waited for when too many are', async () => {
    const harness = createLabelHarness({ maxPendingRequests: 2 });
    const inputs = ['a', 'b', 'c'].map((id) => input(post(id, { media: MEDIA })));
    const { labels } = await harness.run(...inputs);
    expect(labels.filter((label) => label.revision === 2).map((label) => label.postId)).toEqual(['a']);
  });
});

describe('a post that comes again', () => {
  it('inside the window leads to nothing and is counted', async () => {
    const harness = createLabelHarness();
    const { labels, requests } = await harness.run(
      input(post('p1', { media: MEDIA })),
      input(post('p1', { media: MEDIA, text: 'other' })),
    );
    expect([labels.length, requests.length]).toEqual([1, 1]);
    expect((await harness.run(input(post('p1')))).all).toEqual([]);
    await harness.reopen();
    expect((await harness.run(input(post('p1')))).all).toEqual([]);
    expect(harness.ledger()).toMatchObject({ received: 4, labelled: 1, duplicate: 3 });
  });

  it('after the window is a post like any other', async () => {
    const harness = createLabelHarness();
    const again = input(post('p1'));
    await harness.run(again, input(post('p2', { createdAt: T0 + 2 * HOUR })), again);
    expect(harness.ledger()).toMatchObject({ labelled: 2, duplicate: 1 });
    await harness.run(input(post('p3', { createdAt: T0 + 2 * HOUR + 1_000 })), again);
    expect(harness.ledger()).toMatchObject({ labelled: 4, duplicate: 1 });
  });

  it('after the window asks for its pictures only if nobody waits for them', async () => {
    const harness = createLabelHarness();
    const again = input(post('p1', { media: MEDIA }));
    const late = input(post('p2', { createdAt: T0 + 3 * HOUR }));
    await harness.run(again, late, again);
    const { labels, requests } = harness.outputs();
    expect(labels.map((label) => label.postId)).toEqual(['p1', 'p2', 'p1']);
    await harness.run(input(answer(only(requests))));
    expect(harness.ledger()).toMatchObject({ labelled: 3, picturesRequested: 2, picturesReady: 2, late: 0 });
    expect((await harness.run(again)).requests).toHaveLength(1);
  });

  it('has the window of its own collection', async () => {
    const harness = createLabelHarness();
    const old = input(post('old', { collection: 'archive', createdAt: T0 - 10_000 * HOUR }));
    await harness.run(old, input(post('new')), old);
    expect(harness.ledger()).toMatchObject({ labelled: 2, duplicate: 1 });
  });
});

describe('pictures that come apart', () => {
  const apart = (id: string, createdAt = T0): ReturnType<typeof input> =>
    input(post(id, { picturesApart: true, createdAt }));

  it('bring one revision each, numbered as they come', async () => {
    const harness = createLabelHarness();
    await harness.run(apart('p1'));
    const { requests } = await harness.run(input(picture('x1', 'p1')), input(picture('x2', 'p1')));
    expect(requests.map((r) => [r.postId, r.context.labelId, r.context.revision])).toEqual([
      ['p1', 'p1', 2],
      ['p1', 'p1', 3],
    ]);
    await harness.reopen();
    const { labels } = await harness.run(...requests.map((request) => input(answer(request))));
    expect(labels.map(brief)).toEqual([
      ['p1', 2, 'text+image', ['m1 ready']],
      ['p1', 3, 'text+image', ['m1 ready']],
    ]);
    expect(harness.ledger()).toMatchObject({ received: 1, labelled: 1, picturesRequested: 2, orphan: 0 });
  });

  it('leave revision 2 to the pictures that the post brought itself', async () => {
    const harness = createLabelHarness();
    const { requests } = await harness.run(
      input(post('p1', { picturesApart: true, media: MEDIA })),
      input(picture('x1', 'p1')),
    );
    expect(requests.map((r) => r.context.revision)).toEqual([2, 3]);
  });

  it('wait for their post when they come before it', async () => {
    const harness = createLabelHarness();
    expect((await harness.run(input(picture('x1', 'p1')), input(picture('x2', 'p1')))).all).toEqual([]);
    await harness.reopen();
    const { labels, requests } = await harness.run(apart('p1'));
    expect(labels.map((label) => label.revision)).toEqual([1]);
    expect(requests.map((r) => [r.media[0]?.ref, r.context.revision])).toEqual([
      ['store:x1', 2],
      ['store:x2', 3],
    ]);
  });

  it('count once, however often they come', async () => {
    const harness = createLabelHarness();
    const event = input(picture('x1', 'p1'));
    await harness.run(event, event, apart('p1'), event);
    await harness.reopen();
    await harness.run(event);
    expect(harness.outputs().requests).toHaveLength(1);
    expect(harness.ledger()).toMatchObject({ picturesRequested: 1, duplicate: 0, received: 1 });
  });

  it('are labelled alone, under their own id, when no post came within the window', async () => {
    const harness = createLabelHarness();
    await harness.run(input(picture('x1', 'p1')));
    expect((await harness.run(input(post('p2', { createdAt: T0 + HOUR })))).requests).toEqual([]);
    const { requests } = await harness.run(input(post('p3', { createdAt: T0 + HOUR + 1 })));
    expect(only(requests)).toMatchObject({ postId: 'p1', context: { labelId: 'x1', revision: 1, text: '' } });
    const { labels } = await harness.run(input(answer(only(requests), (id) => readyItem(id, 255))));
    expect(labels.map(brief)).toEqual([['x1', 1, 'image', ['m1 ready']]]);
    expect(only(labels).flags).toContain('orphan');
    expect(harness.ledger()).toMatchObject({ orphan: 1, received: 2, labelled: 2, picturesReady: 1 });
  });

  it('find no post after the window, and a post let go leaves nothing in the state', async () => {
    const harness = createLabelHarness();
    await harness.run(apart('p1'));
    await harness.run(apart('p2', T0 + HOUR + 1));
    expect([...harness.state.keys()].filter((entry) => entry.startsWith('join/'))).toHaveLength(1);
    expect((await harness.run(input(picture('x1', 'p1', { createdAt: T0 + HOUR + 2 })))).requests).toEqual(
      [],
    );
  });

  it('stay within the bound of the memory; the oldest go first', async () => {
    const harness = createLabelHarness({ maxJoinEntries: 2 });
    const { requests } = await harness.run(
      input(picture('x1', 'p1')),
      apart('p2'),
      apart('p3'),
      apart('p4'),
      input(picture('x3', 'p3')),
    );
    expect(requests.map((r) => [r.context.labelId, r.context.revision])).toEqual([
      ['x1', 1],
      ['p3', 2],
    ]);
  });
});

describe('an input that cannot be worked on', () => {
  it('is a dead letter with its reason, its bytes and its place, and the partition goes on', async () => {
    const harness = createLabelHarness();
    const { dead, labels, all } = await harness.run(
      input(Buffer.from('junk'), { key: 'k', headers: { traceparent: 'tp' } }),
      input(null, { key: null }),
      input(post('p1')),
      input({ ...picture('x', 'p1'), media: [] }),
    );
    expect(labels.map((label) => label.postId)).toEqual(['p1']);
    expect(dead.map((d) => [d.reason, d.service, d.topic, d.offset])).toEqual([
      ['bad_avro', 'label', TOPICS.events, 0],
      ['null_value', 'label', TOPICS.events, 1],
      ['bad_field', 'label', TOPICS.events, 3],
    ]);
    expect(Buffer.from(dead[0]?.bytes as Uint8Array).toString()).toBe('junk');
    expect(dead[0]?.traceparent).toBe('tp');
    const keys = all.flatMap(({ message }) => (message.topic === TOPICS.dlq ? [message.key] : []));
    expect(keys).toEqual(['k', expect.stringMatching(/^crisis\.events\.v1\/\d\/1$/), 'p1']);
    expect(harness.ledger()).toMatchObject({ received: 3, labelled: 1, dead: 2, deadOther: 1 });
  });
});

describe('counting', () => {
  it('happens at the commit, once, and not for a slice that was given up', async () => {
    const metrics = createMetrics({ bare: true });
    const clock = stillClock();
    const harness = createLabelHarness({ metrics, clock });
    await harness.fail(input(post('p1')));
    expect((await metrics.expose()).body).not.toContain('tocsin_outcomes_total{');
    clock.move(250);
    await harness.run(input(post('p1')), input(post('p1')), input(null));
    const { body } = await metrics.expose();
    for (const line of [
      'tocsin_outcomes_total{service="label",outcome="passed",reason=""} 1',
      'tocsin_outcomes_total{service="label",outcome="dropped",reason="duplicate"} 1',
      'tocsin_outcomes_total{service="label",outcome="failed",reason="null_value"} 1',
      'tocsin_dlq_events_total{service="label",reason="null_value"} 1',
      'tocsin_events_consumed_total{topic="crisis.events.v1"} 3',
      'tocsin_events_emitted_total{topic="crisis.labels.v1"} 1',
      'tocsin_end_to_end_latency_seconds_sum{revision="1"} 0.25',
      'tocsin_ledger{entry="received"} 3',
      'tocsin_ledger_imbalance 0',
      'tocsin_prediction_score_count{task="informative"} 1',
    ])
      expect(body).toContain(line);
    await harness.run(input(post('p2')));
    expect((await metrics.expose()).body).toContain(
      'tocsin_events_consumed_total{topic="crisis.events.v1"} 4',
    );
  });
});
