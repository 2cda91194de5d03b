/** What the gate counts of rumour scores; labels are in gate.test.ts. */
import { expect, it } from 'vitest';
import { createCodec } from '../../../../src/bus/codec.ts';
import { message, NO_LINEAGE } from '../../../../src/bus/messages.ts';
import { TOPICS } from '../../../../src/bus/topics.ts';
import type { DesiredState, Score } from '../../../../src/event/records.ts';
import { dueStep } from '../../../../src/registry/gate/rollout.ts';
import { createWatch, watchAnswers } from '../../../../src/registry/gate/watch.ts';
import { createMemoryBus } from '../../../support/memory-bus.ts';
import { until } from '../../../support/until.ts';
import { evidence, score as scoreOf } from '../../claims/evidence.ts';

const codec = createCodec();
const version = (name: string) => ({ name: 'mafn', version: name, digest: name.repeat(64).slice(0, 64) });
const ref = (name: string) => ({ name: 'mafn', version: name, sha256: 'a'.repeat(64) });
const state: DesiredState = {
  kind: 'DesiredState',
  sequence: 1,
  environment: 'lab',
  issuedAt: 1_000,
  notAfter: 2_000,
  tasks: [{ task: 'rumour', champion: version('a'), challenger: version('b'), canary: [], pinned: false }],
  why: 'test',
  keyId: '',
  signature: new Uint8Array(),
};

/** What champion and challenger say of a content; null for a challenger that was not asked. */
const score = (id: number, champion: number, challenger: number | null): Score =>
  scoreOf(id.toString(16).padStart(32, '0'), champion, {
    model: ref('a'),
    challenger: challenger === null ? null : { probability: challenger, model: ref('b') },
  });

it('a challenger for rumour goes on by the claims that both scored', async () => {
  const bus = createMemoryBus(() => 1_500);
  const watch = createWatch(state, 0);
  const stop = new AbortController();
  const watching = watchAnswers(watch, state, { bus, codec, signal: stop.signal });
  const put = (record: Score | ReturnType<typeof evidence>) =>
    bus.produce([
      message(codec, TOPICS.evidence, record, {
        key: record.collection,
        id: 'test',
        source: 'test',
        time: 1_500,
        lineage: NO_LINEAGE,
      }),
    ]);
  await put(evidence('a', {}));
  for (const given of [score(1, 0.9, 0.8), score(2, 0.9, 0.1), score(3, 0.1, null), score(4, 0.5, 0.5)])
    await put(given);
  await until(() => watch.sides('rumour').champion.labels === 4, 'four scores');
  stop.abort();
  await watching;
  expect(watch.compared('rumour')).toEqual({ posts: 3, agreed: 2 });
  expect(watch.sides('rumour').champion).toMatchObject({ yes: 2, no: 1, unsure: 1, latencyMs: 0 });
  expect(watch.behind).toEqual([]);

  const rules = { shadowEvents: 3, shadowMs: 600_000, canaryMs: 0, graceMs: 0, promotionIntervalMs: 0 };
  const [task] = state.tasks as [DesiredState['tasks'][number]];
  const due = (shadowEvents: number) =>
    dueStep({
      history: [state],
      shipped: [],
      task,
      observation: watch,
      partitions: 6,
      now: 1_500,
      rules: { ...rules, shadowEvents },
    });
  expect(due(4)).toBeNull();
  expect(due(3)).toMatchObject({ change: { kind: 'canary', task: 'rumour' } });
});

it('where no challenger for rumour is there, the evidence is not read', async () => {
  const bus = createMemoryBus(() => 1_500);
  const alone = { ...state, tasks: state.tasks.map((task) => ({ ...task, challenger: null })) };
  const stop = new AbortController();
  const topics: string[] = [];
  const read: typeof bus.read = (topic, options) => {
    topics.push(topic);
    return bus.read(topic, options);
  };
  const watching = watchAnswers(createWatch(alone, 0), alone, {
    bus: { ...bus, read },
    codec,
    signal: stop.signal,
  });
  stop.abort();
  await watching;
  expect(topics).toEqual([TOPICS.labels]);
});
