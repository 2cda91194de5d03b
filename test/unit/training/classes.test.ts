/** Tasks with several classes: thresholds, temperature, figures, and from posts to an artefact that serves. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '../../../src/base/log.ts';
import { seededRandom } from '../../../src/base/random.ts';
import { ARTEFACT_FILES, type Artefact, loadArtefact } from '../../../src/models/artefact.ts';
import { openEngine } from '../../../src/models/engine/engine.ts';
import type { Tf } from '../../../src/models/engine/tf.ts';
import { architecture } from '../../../src/models/zoo/zoo.ts';
import { buildArtefact } from '../../../src/training/build.ts';
import { reportClasses } from '../../../src/training/class-report.ts';
import { chooseClassThresholds, temperatureScale } from '../../../src/training/class-thresholds.ts';
import type { Dataset, Example } from '../../../src/training/dataset.ts';
import { type Encoders, openEncoders } from '../../../src/training/encoders.ts';
import { CHOICE_DEFAULTS } from '../../../src/training/evaluate.ts';
import {
  evaluateClasses,
  networkClassScores,
  servedClassScores,
} from '../../../src/training/evaluate-classes.ts';
import { withEveryday } from '../../../src/training/everyday.ts';
import { anyOfAnswers, oneOfAnswers } from '../../../src/training/measure-classes.ts';
import { readDataset } from '../../../src/training/read-dataset.ts';
import { recipeOf } from '../../../src/training/recipes.ts';
import { splitBy } from '../../../src/training/splits.ts';
import type { Task } from '../../../src/training/tasks.ts';

const FIXTURE = fileURLToPath(new URL('../../fixtures/crisislex_t26.tsv', import.meta.url));
const PICTURES = fileURLToPath(new URL('../../fixtures/pictures/', import.meta.url));

describe('the thresholds of a class', () => {
  it('say yes where F1 is best, and no where at most a fifth of the class is lost', () => {
    // 20 posts of the class, four of them (a fifth) at the very bottom; 80 others between.
    const probability = [
      ...Array.from({ length: 16 }, (_, i) => 0.6 + i / 100),
      0.01,
      0.02,
      0.03,
      0.04,
      ...Array.from({ length: 80 }, (_, i) => 0.1 + i / 200),
    ];
    const has = probability.map((_, i) => i < 20);
    expect(chooseClassThresholds(probability, has)).toEqual({ yes: 0.6, no: 0.04 });
  });

  it('leave room between yes and no however the scores lie', () => {
    const random = seededRandom(3);
    for (let run = 0; run < 50; run += 1) {
      const probability = Array.from({ length: 30 }, () => Math.round(random() * 8) / 8);
      const { yes, no } = chooseClassThresholds(
        probability,
        probability.map(() => random() < 0.3),
      );
      expect(no).toBeLessThan(yes);
    }
  });
});

describe('the temperature of a softmax', () => {
  it('is found again from answers drawn with it', () => {
    const random = seededRandom(7);
    const rows = Array.from({ length: 4_000 }, () => {
      const logits = [0, 1, 2].map(() => 6 * (random() - 0.5));
      const raised = logits.map((z) => Math.exp(0.5 * z));
      let left = random() * raised.reduce((sum, value) => sum + value, 0);
      let drawn = 0;
      while (drawn < 2 && left > (raised[drawn] as number)) left -= raised[drawn++] as number;
      return { logits, target: [0, 1, 2].map((k) => (k === drawn ? 1 : 0)) };
    });
    expect(temperatureScale(rows)).toBeCloseTo(0.5, 1);
  });
});

describe('the figures of several classes', () => {
  // Three posts, two classes; by hand: class a: scores .9 .6 .2, truths 1 0 1; class b: .8 .1 .7, truths 1 0 0.
  const scored = {
    classes: ['a', 'b'],
    scores: [
      [0.9, 0.8],
      [0.6, 0.1],
      [0.2, 0.7],
    ],
    targets: [
      [1, 1],
      [0, 0],
      [1, 0],
    ],
  };

  it('are those that one gets by hand', () => {
    const { metrics, meanAveragePrecision, exactMatch, byClass } = reportClasses(
      'any-of',
      scored,
      anyOfAnswers(scored.scores, [0.5, 0.75]),
    );
    expect(metrics.confusion).toEqual({ tp: 2, fp: 1, fn: 1, tn: 2 });
    expect(metrics.accuracy.value).toBeCloseTo(4 / 6, 4);
    expect(metrics.macroF1.value).toBeCloseTo((0.5 + 1) / 2, 4);
    expect(metrics.auroc.value).toBeCloseTo((0.5 + 1) / 2, 4);
    expect(meanAveragePrecision.value).toBeCloseTo(((1 + 2 / 3) / 2 + 1) / 2, 4);
    expect(exactMatch).toBeCloseTo(1 / 3, 4);
    expect(byClass['b']).toMatchObject({ positives: 1, precision: 1, recall: 1, auroc: 1 });
  });

  it('count posts, not pairs, where a post has one class', () => {
    const one = {
      ...scored,
      targets: [
        [1, 0],
        [0, 1],
        [0, 1],
      ],
    };
    const { metrics } = reportClasses('one-of', one, oneOfAnswers(one.scores));
    expect(metrics.accuracy.value).toBeCloseTo(2 / 3, 4);
  });
});

let tf: Tf;
let folder: string;
let encoders: Encoders;
beforeAll(async () => {
  tf = await openEngine();
  folder = await mkdtemp(join(tmpdir(), 'tocsin-classes-'));
  const mmn = architecture('mmn');
  encoders = await openEncoders(mmn.columns(mmn.defaults), {
    cacheDir: folder,
    threads: 1,
    log: silentLog,
  });
});
afterAll(async () => {
  await encoders.close();
  await rm(folder, { recursive: true, force: true });
});

const read = (task: Task): Promise<Dataset> => readDataset(FIXTURE, { task, now: 1_700_000_000_000 });

const build = (data: Dataset, out: string, leaveOut: string[] = []): Promise<Artefact> => {
  const row = architecture('mmn');
  const { head, options } = recipeOf('mmn', data);
  return buildArtefact(tf, {
    model: { architecture: row, config: row.defaults, head },
    data,
    split: splitBy(data, 'grouped', 1),
    encoders,
    training: { ...options, seed: 1, maxEpochs: 2, batch: 16 },
    out: join(folder, out),
    unseenFolds: 0,
    leaveOut,
    codeVersion: '0.0.0',
    report: () => {},
  });
};

describe('a humanitarian model', () => {
  it('becomes an artefact that serves with the figures of its training', async () => {
    const before = tf.memory().numTensors;
    const data = await read('humanitarian');
    const artefact = await build(data, 'humanitarian', ['2013_Boston_bombings']);
    expect(tf.memory().numTensors).toBe(before);
    const { manifest } = artefact;
    expect(manifest.architecture.head).toEqual({ kind: 'sigmoid', outputs: 6 });
    expect(manifest.classes?.map(({ name }) => name)).toEqual(data.classes);
    for (const { yes, no, calibration } of manifest.classes ?? []) {
      expect(no).toBeLessThan(yes);
      expect(calibration).toMatchObject({ image: null, both: null });
    }
    const card = await readFile(join(artefact.dir, ARTEFACT_FILES.card), 'utf8');
    for (const part of ['`aid`', '2013_Boston_bombings', 'logistic regression', 'Limits', 'Not for counting'])
      expect(card).toContain(part);

    const read2 = await loadArtefact(artefact.dir);
    const served = await evaluateClasses(read2, data, CHOICE_DEFAULTS, servedClassScores(read2, silentLog));
    const network = await evaluateClasses(
      read2,
      data,
      CHOICE_DEFAULTS,
      networkClassScores(tf, read2, encoders),
    );
    expect(network.metrics).toEqual(manifest.metrics.test);
    expect(served.n).toBe(manifest.metrics.test.n);
    expect(served.data).toMatchObject({ sameAsTraining: true, missing: 0 });
    // Posts without a known word have no score when served.
    expect(Math.abs(served.accuracy - network.accuracy)).toBeLessThanOrEqual(
      (served.unscored + 1) / served.n,
    );
    expect(served.coverage).toBeGreaterThan(0);
  });

  it('is judged over the classes alone that the data tell apart', async () => {
    const data = await read('humanitarian');
    const artefact = await loadArtefact(join(folder, 'humanitarian'));
    const fewer = { ...data, classes: data.classes.filter((name) => name !== 'sympathy_and_support') };
    const result = await evaluateClasses(
      artefact,
      fewer,
      CHOICE_DEFAULTS,
      networkClassScores(tf, artefact, encoders),
    );
    expect(result.classes).toHaveLength(5);
    expect(Object.keys(result.byClass)).not.toContain('sympathy_and_support');
    await expect(
      evaluateClasses(artefact, { ...data, classes: [] }, CHOICE_DEFAULTS, async () => []),
    ).rejects.toMatchObject({ code: 'BAD_USAGE' });
  });
});

const LEVELS = ['little_or_no', 'mild', 'severe'] as const;
const DAMAGE: Dataset = {
  name: 'damage',
  licence: 'Apache-2.0',
  task: 'damage',
  classes: LEVELS,
  weak: null,
  examples: Array.from(
    { length: 40 },
    (_, i): Example => ({
      id: `p${i}`,
      post: `p${i}`,
      event: ['bridge', 'harbour'][i % 2] as string,
      createdAt: null,
      text: `House ${i} of street ${i * 7} after wave ${i * 3}`,
      language: 'en',
      author: null,
      picture: { key: `k${i}`, file: join(PICTURES, `scene-${2 + (i % 7)}.jpg`) },
      media: [],
      claim: null,
      published: {},
      labels: { damage: LEVELS[i % 3] as (typeof LEVELS)[number] },
    }),
  ),
  sha256: 'e'.repeat(64),
  left: {},
  pictureProblems: {},
};

describe('a damage model', () => {
  it('learns one class of three from pictures, and its probabilities sum to one', async () => {
    const artefact = await build(DAMAGE, 'damage');
    const { manifest } = artefact;
    expect(manifest.architecture.head).toEqual({ kind: 'softmax', outputs: 3 });
    expect(manifest.modalities.image).toBe('trained');
    const rows = await networkClassScores(tf, artefact, encoders)(DAMAGE.examples);
    for (const row of rows)
      expect((row as number[]).reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 6);
    const served = await servedClassScores(artefact, silentLog)(DAMAGE.examples);
    served.forEach((row, i) => {
      row?.forEach((value, k) => {
        expect(Math.abs(value - (rows[i]?.[k] as number))).toBeLessThan(1e-4);
      });
    });
  });
});

describe('withEveryday', () => {
  it('adds posts that are off topic, of disasters that the data do not have, as events of their own', async () => {
    const data = await read('informative');
    const [event] = data.examples.map((example) => example.event);
    const other: Dataset = {
      ...data,
      name: 'others',
      examples: [
        ...['Sandy', 'Sandy', 'Sandy'].map((name, i) => ({ ...(data.examples[i] as Example), event: name })),
        { ...(data.examples[3] as Example), event: (event as string).toUpperCase() },
      ].map((example, i) => ({ ...example, id: `o${i}`, labels: { informative: i === 2 ? 1 : 0 } as const })),
    };
    const joined = withEveryday(data, other, { limit: 10, seed: 1 });
    const added = joined.examples.slice(data.examples.length);
    expect(added.map(({ id }) => id)).toEqual(['o0', 'o1']);
    expect(added[0]?.event).toBe('Sandy, off topic');
    expect(joined.also).toMatchObject({ examples: 2, name: 'off-topic posts of others' });
    expect(joined.sha256).toBe(data.sha256);
    expect(withEveryday(data, other, { limit: 1, seed: 1 }).also?.examples).toBe(1);
    const several = withEveryday(await read('humanitarian'), other, { limit: 10, seed: 1 });
    expect(several.examples.at(-1)?.labels.humanitarian).toEqual([]);
    expect(() => withEveryday(data, data, { limit: 1, seed: 1 })).toThrow(/there is none/);
  });
});
