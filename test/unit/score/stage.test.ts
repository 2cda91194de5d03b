import { describe, expect, it } from 'vitest';
import { rowsOf } from '../../../src/embed/stage.ts';
import type { MediaItem } from '../../../src/event/records.ts';
import { createMetrics } from '../../../src/metrics/metrics.ts';
import type { Embedded, Scored } from '../../../src/pipeline/post.ts';
import { createScoreStage, decide } from '../../../src/score/stage.ts';
import { readyItem, tinyScorer, tinyScorers, tinyWords } from '../../support/label-harness.ts';

function embedded(text: string, ready: readonly MediaItem[] = []): Embedded {
  const context = {
    labelId: 'p',
    revision: 1,
    text,
    language: 'en',
    collection: 'c',
    source: 's',
    createdAt: 0,
    authorHash: null,
    flags: [],
    synthetic: false,
  };
  return {
    draft: { context, receivedAt: 0, pictures: [], ready, lineage: { traceparent: null, replayId: null } },
    rows: rowsOf(tinyWords, text),
  };
}

const score = async (...batch: Embedded[]): Promise<Scored[]> => {
  const outcomes = await createScoreStage(tinyScorers).process(batch, new AbortController().signal);
  return outcomes.map((outcome) => (outcome as { value: Scored }).value);
};

describe('scoring', () => {
  it('decides by the thresholds, both of them included', () => {
    const thresholds = { name: 't', yes: 0.6, no: 0.4 };
    expect([0, 0.4, 0.41, 0.59, 0.6, 1, null].map((p) => decide(p, thresholds))).toEqual([
      'no',
      'no',
      'unsure',
      'unsure',
      'yes',
      'yes',
      'unsure',
    ]);
  });

  it.each([
    ['', 'no_text'],
    ['blorb blorb', 'no_known_words'],
  ])('is unsure of %j and says %s', async (text, reason) => {
    const [scored] = await score(embedded(text));
    const nothing = {
      label: null,
      probability: null,
      decision: 'unsure',
      byModality: { text: null, image: null },
      model: null,
      challenger: null,
    };
    expect(scored?.tasks).toEqual([
      { ...nothing, task: 'informative', evidence: [reason] },
      { ...nothing, task: 'humanitarian', evidence: [] },
    ]);
    expect(scored?.modalities).toEqual([]);
  });

  it('says where a score rests on few known words', async () => {
    const [few, enough] = await score(embedded('water blorb'), embedded('water in town'));
    expect(few?.tasks[0]?.evidence).toEqual(['few_known_words']);
    expect(enough?.tasks[0]?.evidence).toEqual([]);
  });

  it('takes the picture that scores highest and names it where there are several', async () => {
    const [one, two] = await score(
      embedded('water in town', [readyItem('a', 100)]),
      embedded('water in town', [readyItem('a', 100), readyItem('b', 250)]),
    );
    expect(one?.modalities).toEqual(['text', 'image']);
    expect(one?.tasks[0]?.evidence).toEqual([]);
    // A yes from both: the text alone says 0.55, the picture 0.98.
    expect(two?.tasks[0]?.evidence).toEqual(['picture:b', 'text_share:73']);
    expect(two?.tasks[0]?.probability).toBeGreaterThan(one?.tasks[0]?.probability as number);
  });

  it('labels from the picture alone where there is no text', async () => {
    const [scored] = await score(embedded('', [readyItem('a', 255)]));
    expect(scored?.modalities).toEqual(['image']);
    expect(scored?.tasks[0]).toMatchObject({ decision: 'yes', evidence: ['no_text'] });
  });

  it('says so where the model has learnt nothing of pictures', async () => {
    const blind = {
      ...tinyScorer,
      score: (batch: Parameters<typeof tinyScorer.score>[0]) =>
        tinyScorer.score(batch.map(({ words }) => ({ words, pixels: null }))),
    };
    const [outcome] = await createScoreStage({ ...tinyScorers, informative: blind }).process(
      [embedded('water in town', [readyItem('a')])],
      new AbortController().signal,
    );
    const { value } = outcome as { value: Scored };
    expect(value.modalities).toEqual(['text']);
    expect(value.tasks[0]?.evidence).toEqual(['image_not_scored']);
  });

  it('names each class that is not no, and the likeliest one whatever its answer', async () => {
    const classes = (p: number): Promise<Scored['tasks']> =>
      createScoreStage({
        ...tinyScorers,
        humanitarian: {
          ...tinyScorers.humanitarian,
          score: async (batch) =>
            batch.map(() => ({
              probabilities: [p, 1 - p],
              byModality: { text: [p, 1 - p], image: null },
              modalities: ['text'] as const,
            })),
        },
      })
        .process([embedded('water in town')], new AbortController().signal)
        .then(([outcome]) => (outcome as { value: Scored }).value.tasks.slice(1));
    const answers = async (p: number): Promise<(string | null)[][]> =>
      (await classes(p)).map(({ label, decision }) => [label, decision]);
    expect(await answers(0.9)).toEqual([['wet', 'yes']]);
    expect(await answers(0.5)).toEqual([
      ['wet', 'unsure'],
      ['dry', 'unsure'],
    ]);
    expect(await answers(0.35)).toEqual([['dry', 'unsure']]);
    const low = { ...tinyScorers.humanitarian.classes[0], name: 'wet', yes: 0.99, no: 0.98 };
    const [outcome] = await createScoreStage({
      ...tinyScorers,
      humanitarian: { ...tinyScorers.humanitarian, classes: [low, { ...low, name: 'dry' }] },
    }).process([embedded('water in town')], new AbortController().signal);
    const { value } = outcome as { value: Scored };
    expect(value.tasks.slice(1)).toHaveLength(1);
    expect(value.tasks[1]?.decision).toBe('no');
    expect(value.thresholds).toBe('tiny-1 tiny-2');
  });

  it('asks each model in the words that it reads', async () => {
    const asked: Record<string, number[][]> = {};
    const noting = <S extends { score(batch: never): unknown }>(name: string, scorer: S): S => ({
      ...scorer,
      score: (batch: readonly { words: Int32Array }[]) => {
        asked[name] = batch.map(({ words }) => [...words].slice(0, 2));
        return scorer.score(batch as never);
      },
    });
    const challenger = { ...tinyScorer, reading: 'known' as const };
    const stage = createScoreStage(
      {
        informative: noting('informative', tinyScorer),
        humanitarian: noting('humanitarian', { ...tinyScorers.humanitarian, reading: 'known' }),
      },
      0,
      {
        informative: noting('challenger', challenger),
        humanitarian: null,
        share: 1,
        metrics: createMetrics({ bare: true }),
      },
    );
    const [outcome] = await stage.process([embedded('blorb town')], new AbortController().signal);
    const { first, known } = embedded('blorb town').rows;
    expect([...known].slice(0, 2)).not.toEqual([...first].slice(0, 2));
    expect(asked).toEqual({
      informative: [[...first].slice(0, 2)],
      humanitarian: [[...known].slice(0, 2)],
      challenger: [[...known].slice(0, 2)],
    });
    const { value } = outcome as { value: Scored };
    expect(value.tasks[0]?.evidence).toEqual(['few_known_words']);
  });

  it('rests each class on the picture that speaks most for it', async () => {
    const [scored] = await score(embedded('water in town', [readyItem('a', 0), readyItem('b', 255)]));
    const of = (name: string): number =>
      scored?.tasks.find(({ label }) => label === name)?.byModality.image ?? Number.NaN;
    expect(of('wet')).toBe(1);
    expect(of('dry')).toBe(1);
  });

  it('gives each post the score that it has alone', async () => {
    const batch = [
      embedded(''),
      embedded('water in town', [readyItem('a', 10), readyItem('b', 20)]),
      embedded('fire on the hill'),
      embedded('blorb'),
      embedded('', [readyItem('a', 90)]),
    ];
    const alone = await Promise.all(batch.map(async (one) => (await score(one))[0]));
    expect(await score(...batch)).toEqual(alone);
  });
});
