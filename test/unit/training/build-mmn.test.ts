/** From labelled posts to a served artefact, on a small fixture; on the real set too where it is at hand. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLog } from '../../../src/base/log.ts';
import { ARTEFACT_FILES, type Artefact, loadArtefact } from '../../../src/models/artefact.ts';
import { openEngine } from '../../../src/models/engine/engine.ts';
import type { Tf } from '../../../src/models/engine/tf.ts';
import { loadNetwork } from '../../../src/models/network-files.ts';
import { buildMmn, type MmnConfig } from '../../../src/models/zoo/mmn.ts';
import { buildMmnArtefact } from '../../../src/training/build-mmn.ts';
import type { Dataset } from '../../../src/training/dataset.ts';
import { evaluateArtefact } from '../../../src/training/evaluate.ts';
import { readDataset } from '../../../src/training/read-dataset.ts';

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

const build = (data: Dataset, out: string, maxEpochs: number, leaveOut: string[] = []): Promise<Artefact> =>
  buildMmnArtefact(tf, { data, seed: 1, out, leaveOut, maxEpochs, codeVersion: '0.0.0', report: () => {} });

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
    const result = await evaluateArtefact(out, data, 'test', silentLog);
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
    const config = artefact.manifest.architecture.config as unknown as MmnConfig;
    const mmn = buildMmn(tf, config, { kind: 'sigmoid', outputs: 1 }, 0);
    mmn.layers.setWeights(network.getWeights());
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

describe('buildMmnArtefact', () => {
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

  it('never writes into a folder that has something in it', async () => {
    const data = await readInformative(FIXTURE);
    const out = join(folder, 'kept');
    const before = (await build(data, out, 1)).manifest;
    await expect(build(data, out, 1)).rejects.toMatchObject({ code: 'BAD_USAGE' });
    expect((await loadArtefact(out)).manifest).toEqual(before);
  });
});
