import { describe, expect, it } from 'vitest';
import type { MediaItem } from '../../../src/event/records.ts';
import type { Embedded, Scored } from '../../../src/pipeline/post.ts';
import { createScoreStage, decide } from '../../../src/score/stage.ts';
import { readyItem, tinyScorer, tinyVocabulary } from '../../support/label-harness.ts';

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
    words: tinyVocabulary.encode(text),
  };
}

const score = async (...batch: Embedded[]): Promise<Scored[]> => {
  const outcomes = await createScoreStage(tinyScorer).process(batch, new AbortController().signal);
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
    expect(scored?.tasks).toEqual([
      {
        task: 'informative',
        label: null,
        probability: null,
        decision: 'unsure',
        byModality: { text: null, image: null },
        evidence: [reason],
        model: null,
      },
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
    expect(two?.tasks[0]?.evidence).toEqual(['picture:b']);
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
    const [outcome] = await createScoreStage(blind).process(
      [embedded('water in town', [readyItem('a')])],
      new AbortController().signal,
    );
    const { value } = outcome as { value: Scored };
    expect(value.modalities).toEqual(['text']);
    expect(value.tasks[0]?.evidence).toEqual(['image_not_scored']);
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
