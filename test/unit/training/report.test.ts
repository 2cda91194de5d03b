/** Evaluations and their reports: the form that commands print, honest notes, plots that any viewer can draw. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { seededRandom } from '../../../src/base/random.ts';
import { loadArtefact } from '../../../src/models/artefact.ts';
import { CHAMPION_DIR } from '../../../src/registry/champions.ts';
import type { Dataset, Example } from '../../../src/training/dataset.ts';
import {
  type ArtefactEvaluation,
  CHOICE_DEFAULTS,
  type Choice,
  evaluateArtefact,
  type ScorePosts,
} from '../../../src/training/evaluate.ts';
import { readDataset } from '../../../src/training/read-dataset.ts';
import { confusionChart, lineChart } from '../../../src/training/report/svg.ts';
import { reportFiles, writeReport } from '../../../src/training/report/write-report.ts';
import type { BinaryTask } from '../../../src/training/tasks.ts';

const archives = fileURLToPath(new URL('../../fixtures/archives', import.meta.url));

/** 120 posts of 12 claims in two events; every third claim is true for informative, fake for rumour. */
function dataset(task: BinaryTask): Dataset {
  const examples = Array.from({ length: 120 }, (_, i): Example => {
    const claim = Math.floor(i / 10);
    return {
      id: `p${i}`,
      post: `p${i}`,
      event: claim % 2 === 0 ? 'flood' : 'fire',
      createdAt: i,
      text: `post number n${i} about thing t${i} and u${i}`,
      language: 'en',
      author: null,
      picture: null,
      media: [`m${claim}`],
      claim: null,
      published: { official: i < 60 ? 'train' : 'test' },
      labels: { [task]: claim % 3 === 0 ? 1 : 0 },
    };
  });
  return {
    name: 'test | posts',
    licence: 'none',
    task,
    classes: [],
    weak: 'they stand for something <else>',
    examples,
    sha256: 'f'.repeat(64),
    left: { no_label: 2 },
    pictureProblems: {},
  };
}

/** Right for most, unsure for some, no score for the first. */
const score: ScorePosts = async (examples) => {
  const random = seededRandom(4);
  return examples.map(({ id, labels }) => {
    const label = labels.informative ?? labels.rumour ?? 0;
    return id === 'p60' ? null : 0.25 + 0.3 * label + 0.4 * (random() - 0.3);
  });
};

async function evaluate(task: BinaryTask, more: Partial<Choice> = {}): Promise<ArtefactEvaluation> {
  const artefact = await loadArtefact(CHAMPION_DIR);
  return evaluateArtefact(artefact, dataset(task), { ...CHOICE_DEFAULTS, split: 'all', ...more }, score);
}

describe('evaluateArtefact', () => {
  it('gives one object with figures and their intervals', async () => {
    const result = await evaluate('informative', { split: 'official' });
    expect(result.n).toBe(60);
    for (const name of [
      'accuracy',
      'balancedAccuracy',
      'macroF1',
      'auroc',
      'majority',
      'coverage',
    ] as const) {
      const [low, high] = result.intervals[name];
      expect(result[name]).toBeGreaterThanOrEqual(low);
      expect(result[name]).toBeLessThanOrEqual(high);
    }
    expect(result.majority).toBeCloseTo(2 / 3, 5);
    expect(result.ece).toBeGreaterThan(0);
    expect(result.unscored).toBe(1);
    expect(result.claims).toBeNull();
    expect(result.baselines.naiveBayes?.n).toBe(60);
    expect(result.baselines.logistic?.n).toBe(60);
    expect(result.baselines.majority.balancedAccuracy.value).toBe(0.5);
    expect(result.selective.at100).toBeCloseTo(result.accuracy, 4);
    expect(result.byClass['informative']?.positives).toBe(20);
    expect(result.data).toMatchObject({
      split: 'official',
      part: 'test',
      missing: 0,
      sameAsTraining: false,
      left: { no_label: 2 },
    });
    expect(Object.keys(result.byEvent)).toEqual(['fire', 'flood']);
  });

  it('judges all posts, with no plain model to learn from, and at most as many as asked for', async () => {
    const all = await evaluate('informative');
    expect([all.n, all.data.part, all.baselines.naiveBayes]).toEqual([120, 'all', null]);
    const few = await evaluate('informative', { limit: 30, seed: 5 });
    expect(few.n).toBe(30);
    expect(await evaluate('informative', { limit: 30, seed: 5 })).toEqual(few);
  });

  it('says over how many claims a rumour figure goes, and widens its intervals', async () => {
    const result = await evaluate('rumour');
    expect(result.claims?.count).toBe(12);
    expect(result.claims?.perClaim.n).toBe(12);
    expect(result.intervals.accuracy).toEqual(result.claims?.posts.accuracy.interval);
    expect(result.claims?.posts.accuracy.value).toBe(result.metrics.accuracy.value);
  });

  it('judges posts with a picture alone when asked to', async () => {
    const artefact = await loadArtefact(CHAMPION_DIR);
    const data = await readDataset(join(archives, 'crisismmd'), {
      task: 'informative',
      now: systemClock.now(),
    });
    const of = async (withPicture: boolean): Promise<number> =>
      (await evaluateArtefact(artefact, data, { ...CHOICE_DEFAULTS, split: 'all', withPicture }, score)).n;
    expect([await of(false), await of(true)]).toEqual([7, 6]);
  });

  it('counts posts that the model was trained on, and refuses a choice without posts', async () => {
    const artefact = await loadArtefact(CHAMPION_DIR);
    const data = await readDataset(join(archives, 'crisislex/t26.tsv'), {
      task: 'informative',
      now: systemClock.now(),
    });
    const { data: about } = await evaluateArtefact(
      artefact,
      data,
      { ...CHOICE_DEFAULTS, split: 'all' },
      score,
    );
    expect(about.seenInTraining).toBeGreaterThan(20);
    await expect(evaluate('informative', { split: 'own' })).rejects.toMatchObject({ code: 'BAD_USAGE' });
  });
});

describe('the report', () => {
  it('is a page, the figures and three plots that a viewer can draw', async () => {
    const files = reportFiles(await evaluate('rumour', { split: 'official' }));
    expect(Object.keys(files).sort()).toEqual([
      'confusion.svg',
      'reliability.svg',
      'report.json',
      'report.md',
      'risk-coverage.svg',
    ]);
    const page = files['report.md'] as string;
    for (const part of [
      '6 claims',
      'one answer a claim',
      'naive Bayes',
      'logistic',
      'majority',
      'weak',
      'By event',
    ])
      expect(page).toContain(part);
    expect(page).not.toMatch(/undefined|NaN/);
    expect(JSON.parse(files['report.json'] as string).n).toBe(60);
    for (const [name, content] of Object.entries(files)) {
      if (!name.endsWith('.svg')) continue;
      expect(content).toContain('prefers-color-scheme: dark');
      expect(content).not.toMatch(/undefined|NaN/);
      // librsvg refuses XML that is not well-formed.
      expect((await sharp(Buffer.from(content)).stats()).isOpaque).toBe(false);
    }
  });

  it('writes them into a folder', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tocsin-report-'));
    try {
      await writeReport(join(folder, 'new'), await evaluate('informative'));
      expect(await readdir(join(folder, 'new'))).toHaveLength(5);
      expect(await readFile(join(folder, 'new/report.md'), 'utf8')).toMatch(/^# mmn-informative/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('draws names with signs that XML gives a meaning, and no points at all', async () => {
    const plots = [
      confusionChart(
        'a <b> & "c"',
        ['<yes>', "n'o"],
        [
          [1, 0],
          [0, 0],
        ],
      ),
      lineChart('none', { name: 'x<y', from: 0, to: 1 }, { name: 'y', from: 0, to: 1 }, []),
      lineChart('one', { name: 'x', from: 0, to: 1 }, { name: 'y', from: 1, to: 1 }, [{ x: 0.5, y: 1 }]),
    ];
    for (const plot of plots) expect((await sharp(Buffer.from(plot)).metadata()).format).toBe('svg');
    expect(plots.join('')).not.toMatch(/NaN|Infinity/);
  });
});
