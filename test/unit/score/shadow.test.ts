import { describe, expect, it } from 'vitest';
import type { Label } from '../../../src/event/records.ts';
import { createMetrics } from '../../../src/metrics/metrics.ts';
import type { ClassScorer, Scorer } from '../../../src/models/port.ts';
import { createLabelHarness, input, post, tinyScorer, tinyScorers } from '../../support/label-harness.ts';

const beside: Scorer = {
  ...tinyScorer,
  model: { name: 'tiny', version: '2', sha256: 'ef' },
  score: async (batch) =>
    (await tinyScorer.score(batch)).map((output) => ({
      ...output,
      probability: output.probability === null ? null : 1 - output.probability,
    })),
};
const fewer: ClassScorer = {
  ...tinyScorers.humanitarian,
  model: { name: 'tiny-classes', version: '2', sha256: '01' },
  classes: [{ name: 'dry', yes: 0.5, no: 0.5 }],
  score: async (batch) =>
    batch.map(() => ({ probabilities: [0.25], byModality: { text: null, image: null }, modalities: [] })),
};

/** The label worker's task with these challengers in the shadow of the tiny models. */
function shadowed(informative: Scorer, humanitarian: ClassScorer) {
  const metrics = createMetrics({ bare: true });
  const shadow = { informative, humanitarian };
  const harness = createLabelHarness({
    metrics,
    models: {
      reach: async () => {},
      lease: () => ({
        value: {
          sequence: 7,
          on: (task) => ({ answers: tinyScorers[task] as never, shadow: shadow[task] as never }),
          close: async () => {},
        },
        release: () => {},
      }),
    },
  });
  return { harness, metrics };
}

const answersOf = (labels: readonly Label[]): unknown =>
  labels.map(({ tasks }) => tasks.map(({ challenger: _, ...answer }) => answer));

describe('a challenger in the shadow', () => {
  const posts = [post('a'), post('b', { text: 'fire on the hill' }), post('c', { text: '' })];

  it('stands beside the answers, task by task and class by class, and changes none', async () => {
    const { harness } = shadowed(beside, fewer);
    const { labels } = await harness.run(...posts.map((record) => input(record)));
    const alone = await createLabelHarness().run(...posts.map((record) => input(record)));
    expect(answersOf(labels)).toEqual(answersOf(alone.labels));
    expect(labels.map(({ modelSequence }) => modelSequence)).toEqual([7, 7, 7]);
    for (const { tasks } of labels.slice(0, 2))
      for (const { task, label, probability, challenger } of tasks) {
        const wanted = task === 'informative' ? 1 - (probability as number) : label === 'dry' ? 0.25 : null;
        expect([task, label, challenger?.probability]).toEqual([task, label, wanted]);
        expect(challenger?.model.version).toBe('2');
      }
    expect(labels[2]?.tasks[0]?.challenger).toEqual({ probability: null, model: beside.model });
  });

  it('holds nothing up when it fails', async () => {
    const fail = async (): Promise<never> => {
      throw new Error('no');
    };
    const { harness, metrics } = shadowed({ ...beside, score: fail }, { ...fewer, score: fail });
    const { labels } = await harness.run(...posts.map((record) => input(record)));
    expect(labels.flatMap(({ tasks }) => tasks.map(({ challenger }) => challenger))).toEqual(
      labels.flatMap(({ tasks }) => tasks.map(() => null)),
    );
    expect((await metrics.expose()).body).toContain('tocsin_shadow_failures_total{task="informative"} 1');
  });
});
