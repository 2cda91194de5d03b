/** From labelled posts to an artefact, served or not, on small fixtures; on the real set too where it is at hand. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLog } from '../../../src/base/log.ts';
import { ARTEFACT_FILES, type Artefact, loadArtefact } from '../../../src/models/artefact.ts';
import { openCatalogued } from '../../../src/models/encoders/catalogued.ts';
import { openEngine } from '../../../src/models/engine/engine.ts';
import type { Tf } from '../../../src/models/engine/tf.ts';
import { loadNetwork } from '../../../src/models/network-files.ts';
import { openNetwork } from '../../../src/models/zoo/open.ts';
import { architecture, ZOO } from '../../../src/models/zoo/zoo.ts';
import { buildArtefact } from '../../../src/training/build.ts';
import type { Dataset, Example } from '../../../src/training/dataset.ts';
import { type Encoders, openEncoders } from '../../../src/training/encoders.ts';
import {
  CHOICE_DEFAULTS,
  evaluateArtefact,
  networkScores,
  servedFile,
  servedRumourScores,
  servedScores,
} from '../../../src/training/evaluate.ts';
import type { Evaluation } from '../../../src/training/evaluation.ts';
import type { DefendedOptions } from '../../../src/training/harden.ts';
import { readDataset } from '../../../src/training/read-dataset.ts';
import { recipeOf } from '../../../src/training/recipes.ts';
import { splitBy } from '../../../src/training/splits.ts';
import { tableOf } from '../../../src/training/table.ts';
import type { Sentences, Teaching } from '../../../src/training/teachers.ts';

const FIXTURE = fileURLToPath(new URL('../../fixtures/crisislex_t26.tsv', import.meta.url));
const DATASETS = process.env['TOCSIN_DATASETS'];
const sources: [string, string, number][] = [
  ['the fixture', FIXTURE, 2],
  // The whole file is read; every fifth post of it makes a short training.
  ...(DATASETS ? [['the real set', join(DATASETS, 'crisislex'), 2] as [string, string, number]] : []),
];

let tf: Tf;
let folder: string;

beforeAll(async () => {
  tf = await openEngine();
  folder = await mkdtemp(join(tmpdir(), 'tocsin-build-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const readInformative = (path: string): Promise<Dataset> =>
  readDataset(path, { task: 'informative', now: systemClock.now() });

let encoders: Encoders;
beforeAll(async () => {
  const columns = ZOO.flatMap((row) => row.columns(row.defaults));
  encoders = await openEncoders(columns, { cacheDir: folder, threads: 1, log: silentLog });
});
afterAll(() => encoders.close());

const train = (
  name: string,
  data: Dataset,
  out: string,
  maxEpochs: number,
  leaveOut: string[] = [],
  unseenFolds = 0,
  { teaching = null, ...changed }: Partial<DefendedOptions> & { readonly teaching?: Teaching | null } = {},
): Promise<Artefact> => {
  const row = architecture(name);
  const { head, options } = recipeOf(name);
  return buildArtefact(tf, {
    model: { architecture: row, config: row.defaults, head },
    data,
    split: splitBy(data, 'grouped', 1),
    // As a command opens them: none that the columns do not need.
    encoders: name === 'mmn' ? { ...encoders, text: null, image: null } : encoders,
    training: { ...options, seed: 1, maxEpochs, batch: 16, ...changed },
    teaching,
    out,
    unseenFolds,
    leaveOut,
    codeVersion: '0.0.0',
    report: () => {},
  });
};
const build = (data: Dataset, out: string, maxEpochs: number, leaveOut?: string[]): Promise<Artefact> =>
  train('mmn', data, out, maxEpochs, leaveOut);

describe('readDataset, CrisisLexT26', () => {
  it('reads the fixture: labels, normalised texts, languages, what is left out', async () => {
    const data = await readInformative(FIXTURE);
    expect(data.examples).toHaveLength(288);
    expect(data.left).toEqual({ not_applicable: 4 });
    expect(data.examples.filter(({ labels }) => labels.informative === 1)).toHaveLength(192);
    expect(data.examples.some(({ text }) => /https?:\/\/t|@\w|^RT /.test(text))).toBe(false);
    expect(new Set(data.examples.map(({ language }) => language)).has('es')).toBe(true);
  });

  it('refuses another file and no file', async () => {
    for (const path of [fileURLToPath(import.meta.url), join(folder, 'none')])
      await expect(readInformative(path)).rejects.toMatchObject({ code: 'ARCHIVE_UNREADABLE' });
  });
});

describe.each(sources)('an artefact trained on %s', (name, path, epochs) => {
  let data: Dataset;
  let artefact: Artefact;
  let out: string;

  beforeAll(async () => {
    const all = await readInformative(path);
    data = { ...all, examples: all.examples.filter((_, i) => all.examples.length < 1_000 || i % 5 === 0) };
    out = join(folder, name.replaceAll(' ', '-'));
    artefact = await build(data, out, epochs);
  }, 600_000);

  it('says what it is and which modality was trained', () => {
    const { manifest } = artefact;
    expect(manifest.modalities).toEqual({ text: 'trained', image: 'untrained' });
    expect(manifest.data).toMatchObject({ name: 'CrisisLexT26', licence: 'MIT', sha256: data.sha256 });
    expect(manifest.split.train + manifest.split.dev + manifest.split.test).toBe(data.examples.length);
    expect(manifest.thresholds.no).toBeLessThan(manifest.thresholds.yes);
    expect(manifest.calibration.image).toBeNull();
    expect(manifest.metrics.test.auroc.value).toBeGreaterThan(0.5);
  });

  it('has a card with every figure and its limits, and leaves nothing else behind', async () => {
    const card = await readFile(join(out, ARTEFACT_FILES.card), 'utf8');
    for (const part of ['naive Bayes', 'majority', 'Limits', 'MIT', 'picture no'])
      expect(card).toContain(part);
    expect((await readdir(folder)).filter((entry) => entry.includes('checkpoint'))).toEqual([]);
  });

  it('is served with the figures that training measured', async () => {
    const result = await evaluateArtefact(artefact, data, CHOICE_DEFAULTS, servedScores(artefact, silentLog));
    const { test } = artefact.manifest.metrics;
    expect(result.data).toMatchObject({ sameAsTraining: true, missing: 0, part: 'test' });
    expect(result.metrics.n).toBe(test.n);
    // Posts without a known word have no score when served.
    const slack = (result.unscored + 1) / test.n;
    expect(Math.abs(result.metrics.accuracy.value - test.accuracy.value)).toBeLessThanOrEqual(slack);
  });

  it('holds a network that any tfjs loads with the same logits', async () => {
    const network = await loadNetwork(tf, {
      json: Buffer.from(artefact.bytes(ARTEFACT_FILES.network)).toString('utf8'),
      weights: artefact.bytes(ARTEFACT_FILES.weights),
    });
    const { network: mmn } = openNetwork(tf, artefact);
    tf.tidy(() => {
      const words = tf.randomUniform([2, 15, 100], -1, 1, 'float32', 4);
      const pictures = tf.randomUniform([2, 64, 64, 3], 0, 1, 'float32', 5);
      const loaded = (network.predict([words, pictures]) as typeof words).dataSync();
      expect(mmn.forward({ words, pixels: pictures }).dataSync()).toEqual(loaded);
    });
    network.dispose();
    mmn.dispose();
  });
});

describe('buildArtefact', () => {
  it('gives the same weights, split and figures for the same seed, and compares with events left out', async () => {
    const data = await readInformative(FIXTURE);
    const first = await build(data, join(folder, 'first'), 1);
    const second = await build(data, join(folder, 'second'), 1, ['2013_Boston_bombings']);
    const { files: firstFiles, ...firstManifest } = first.manifest;
    const { files: secondFiles, ...secondManifest } = second.manifest;
    expect(secondManifest).toEqual(firstManifest);
    for (const name of ['text.onnx', 'joint.onnx', 'network/weights.bin', 'split.json', 'golden.json'])
      expect(secondFiles[name]).toEqual(firstFiles[name]);
    const card = Buffer.from(second.bytes(ARTEFACT_FILES.card)).toString('utf8');
    expect(card).toContain('2013_Boston_bombings');
  });

  it('trains under a defence and says so, with what is left of it under attack on unseen events', async () => {
    const data = await readInformative(FIXTURE);
    const { manifest, bytes } = await train('mmn', data, join(folder, 'hard'), 1, [], 2, {
      defence: 'on-the-fly',
    });
    expect(manifest.training.options['defence']).toBe('on-the-fly');
    const card = Buffer.from(bytes(ARTEFACT_FILES.card)).toString('utf8');
    expect(card).toContain('Adversarially trained');
    expect(card).toContain('Under attack');
    const evaluation = JSON.parse(
      Buffer.from(bytes(ARTEFACT_FILES.evaluation)).toString('utf8'),
    ) as Evaluation;
    const robust = evaluation.unseen?.robust;
    expect(robust?.clean.n).toBe(evaluation.unseen?.posts);
    expect(robust?.attacked.accuracy.value).toBeLessThan(robust?.clean.accuracy.value ?? 0);
  });

  it('says how many posts were taught that teachers alone answered, and draws them once', async () => {
    const all = await readInformative(FIXTURE);
    const half = all.examples.length / 2;
    const data = { ...all, examples: all.examples.slice(0, half) };
    let drawn = 0;
    const others: Dataset = {
      ...all,
      name: 'others',
      get examples() {
        drawn += 1;
        return all.examples.slice(half);
      },
    };
    /** A sentence by its length. */
    const sentences: Sentences = {
      dims: { text: 1 },
      table: async (texts) =>
        tableOf(texts.length, {
          sentence: { shape: [1], write: (i, out) => out.fill((texts[i] as string).length / 100) },
        }),
    };
    const teaching = { sentences, unlabelled: { data: others, limit: 20 } };
    const taught = await train('text-cnn', data, join(folder, 'taught'), 1, [], 0, {
      teaching,
      teachersPart: 0.5,
    });
    expect(taught.manifest.data.unlabelled).toMatchObject({ name: 'others', examples: 20 });
    expect(drawn).toBe(1);
    const untaught = await train('text-cnn', data, join(folder, 'untaught'), 1, [], 0, { teaching });
    expect(untaught.manifest.data.unlabelled).toBeUndefined();
  });

  it('never writes into a folder that has something in it', async () => {
    const data = await readInformative(FIXTURE);
    const out = join(folder, 'kept');
    const before = (await build(data, out, 1)).manifest;
    await expect(build(data, out, 1)).rejects.toMatchObject({ code: 'BAD_USAGE' });
    expect((await loadArtefact(out)).manifest).toEqual(before);
  });
});

/** Posts of two kinds, made for this test; every second one with a picture. */
const PAIRS: Dataset = {
  name: 'pairs',
  licence: 'Apache-2.0',
  task: 'rumour',
  classes: ['real', 'fake'],
  weak: null,
  examples: Array.from(
    { length: 40 },
    (_, i): Example => ({
      id: `p${i}`,
      post: `p${i}`,
      event: ['bridge', 'harbour'][i % 2] as string,
      createdAt: null,
      text:
        i % 3 === 0
          ? `Shark number ${i} swims along the motorway of Springfield`
          : `Water stands ${i} centimetres high at gate ${i * 7}`,
      language: 'en',
      author: null,
      picture:
        i % 2 === 0
          ? {
              key: `k${i}`,
              file: fileURLToPath(
                new URL(`../../fixtures/pictures/scene-${2 + ((i / 2) % 7)}.jpg`, import.meta.url),
              ),
            }
          : null,
      media: [],
      claim: null,
      published: {},
      labels: { rumour: i % 3 === 0 ? 1 : 0 },
    }),
  ),
  sha256: 'e'.repeat(64),
  left: {},
  pictureProblems: {},
};

describe('every row of the zoo', () => {
  it.each(ZOO.map(({ name }) => [name]))(
    '%s becomes an artefact that opens with the same weights',
    async (name) => {
      const before = tf.memory().numTensors;
      const artefact = await train(name, PAIRS, join(folder, name), 1);
      const { manifest } = artefact;
      expect(manifest.name).toBe(`${name}-rumour`);
      expect(manifest.task).toBe('rumour');
      const opened = openNetwork(tf, artefact);
      expect(opened.architecture.name).toBe(name);
      const weights = Buffer.concat(
        opened.network.layers.getWeights().map((w) => Buffer.from(w.dataSync().slice().buffer)),
      );
      expect(Buffer.compare(weights, Buffer.from(artefact.bytes(ARTEFACT_FILES.weights)))).toBe(0);
      opened.network.dispose();
      const scores = networkScores(tf, artefact, encoders);
      const { metrics } = await evaluateArtefact(artefact, PAIRS, CHOICE_DEFAULTS, scores);
      expect(metrics).toEqual(manifest.metrics.test);
      expect(servedFile(artefact)).toBe({ mmn: 'text.onnx', mafn: 'rumour.onnx' }[name] ?? null);
      expect(tf.memory().numTensors).toBe(before);
    },
  );

  it('serves MAFN as it was trained, calibrated on events that its model had not seen', async () => {
    const out = join(folder, 'unseen');
    const { manifest } = await train('mafn', PAIRS, out, 1, [], 2);
    expect(manifest.thresholds.name).toBe('unseen-85');
    const { unseen, claims } = JSON.parse(
      await readFile(join(out, ARTEFACT_FILES.evaluation), 'utf8'),
    ) as Evaluation;
    // Every post of train and dev is judged once, by the model that knows nothing of its event.
    expect(unseen).toMatchObject({ folds: 2, events: 2, posts: manifest.split.train + manifest.split.dev });
    expect(claims?.posts.n).toBe(manifest.split.test);
    expect(await readFile(join(out, ARTEFACT_FILES.card), 'utf8')).toContain(
      '## Calibration on unseen events',
    );

    const artefact = await loadArtefact(out);
    const examples = PAIRS.examples.slice(0, 6);
    const openEncoder = openCatalogued({ cacheDir: folder, threads: 1, log: silentLog });
    const served = await servedRumourScores(artefact, openEncoder, silentLog)(examples);
    const wanted = await networkScores(tf, artefact, encoders)(examples);
    served.forEach((probability, i) => {
      expect(Math.abs((probability as number) - (wanted[i] as number))).toBeLessThan(1e-4);
    });
  });

  it('is not judged with another encoder than it was trained on', async () => {
    const artefact = await train('spotfake', PAIRS, join(folder, 'changed'), 1);
    const text = { ...(encoders.text as NonNullable<Encoders['text']>), preprocess: 'other' };
    const scores = networkScores(tf, artefact, { ...encoders, text });
    await expect(scores(PAIRS.examples)).rejects.toMatchObject({ code: 'MODEL_INVALID' });
  });

  it('is refused where it reads pictures alone and there are none', async () => {
    const data = await readInformative(FIXTURE);
    await expect(train('visual-cnn', data, join(folder, 'blind'), 1)).rejects.toThrow(/reads pictures alone/);
  });
});

describe('splitBy', () => {
  it('finds a protocol by its name, with the event after the colon, and says the nearest one', () => {
    expect(splitBy(PAIRS, 'leave-one-event-out:harbour', 1)).toMatchObject({ protocol: 'event:harbour' });
    expect(splitBy(PAIRS, 'grouped', 3)).toMatchObject({ protocol: 'grouped', seed: 3 });
    expect(() => splitBy(PAIRS, 'group', 1)).toThrow(/did you mean grouped/);
    expect(() => splitBy(PAIRS, 'leave-one-event-out', 1)).toThrow(/bridge, harbour/);
  });
});
