/** A model that says yes as often as another one does. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLog } from '../../../src/base/log.ts';
import { ARTEFACT_FILES, type Artefact } from '../../../src/models/artefact.ts';
import { openEngine } from '../../../src/models/engine/engine.ts';
import type { Tf } from '../../../src/models/engine/tf.ts';
import { architecture } from '../../../src/models/zoo/zoo.ts';
import { asOften, type Other } from '../../../src/training/as-often.ts';
import { buildArtefact } from '../../../src/training/build.ts';
import type { Dataset } from '../../../src/training/dataset.ts';
import { openEncoders } from '../../../src/training/encoders.ts';
import { networkScores } from '../../../src/training/evaluate.ts';
import type { Evaluation } from '../../../src/training/evaluation.ts';
import { readDataset } from '../../../src/training/read-dataset.ts';
import { recipeOf } from '../../../src/training/recipes.ts';
import { parseSplit, pick, splitBy } from '../../../src/training/splits.ts';

describe('a bias', () => {
  const own = { scale: 2, bias: 0.7 };
  const logits = [-3, 4, 1, 0.5, -1];
  const yes = (bias: number): number => logits.filter((z) => 2 * z + bias >= 0).length;

  it.each([1, 2, 3, 4])('lets %d of five posts be answered with yes', (wanted) => {
    const settled = asOften(own, logits, wanted);
    expect(settled.scale).toBe(2);
    expect(yes(settled.bias)).toBe(wanted);
  });

  it('stays where all or none are wanted', () => {
    for (const wanted of [0, 5]) expect(asOften(own, logits, wanted)).toEqual(own);
  });
});

describe('an artefact that says yes as often as another model', () => {
  let tf: Tf;
  let folder: string;
  let data: Dataset;
  beforeAll(async () => {
    tf = await openEngine();
    folder = await mkdtemp(join(tmpdir(), 'tocsin-often-'));
    const path = fileURLToPath(new URL('../../fixtures/crisislex_t26.tsv', import.meta.url));
    data = await readDataset(path, { task: 'informative', now: systemClock.now() });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const row = architecture('mmn');
  const { head, options } = recipeOf('mmn');
  const open = () =>
    openEncoders(row.columns(row.defaults), { cacheDir: folder, threads: 1, log: silentLog });
  const build = async (name: string, of: Dataset, asOftenAs: Other | null): Promise<Artefact> =>
    buildArtefact(tf, {
      model: { architecture: row, config: row.defaults, head },
      data: of,
      split: splitBy(of, 'grouped', 1),
      encoders: await open(),
      training: { ...options, seed: 1, maxEpochs: 1, batch: 16 },
      out: join(folder, name),
      unseenFolds: 2,
      asOftenAs,
      leaveOut: [],
      codeVersion: '0.0.0',
      report: () => {},
    });

  /** Says yes of every fourth post, and nothing of the first one. */
  const rare: Other = {
    version: 'mmn-informative s1-rare',
    score: async (posts) => posts.map((_, i) => (i === 0 ? null : i % 4 === 1 ? 0.5 : 0.4)),
  };

  it('does so on dev, with the scale that unseen events gave it, in its card and its thresholds', async () => {
    const plain = await build('plain', data, null);
    const before = tf.memory().numTensors;
    const artefact = await build('often', data, rare);
    expect(tf.memory().numTensors).toBe(before);
    const { manifest } = artefact;
    const dev = pick(data, parseSplit(artefact.bytes(ARTEFACT_FILES.split)).dev);
    const wanted = dev.filter((_, i) => i % 4 === 1).length;
    const yes = async (of: Artefact): Promise<number> => {
      const scores = await networkScores(tf, of, await open())(dev);
      return scores.filter((probability, i) => i > 0 && (probability as number) >= 0.5).length;
    };
    expect(await yes(artefact)).toBe(wanted);
    expect(await yes(plain)).not.toBe(wanted);
    expect(manifest.calibration.text?.scale).toBe(plain.manifest.calibration.text?.scale);
    expect(manifest.training.options['asOftenAs']).toBe(rare.version);
    const text = (name: string): string => Buffer.from(artefact.bytes(name)).toString('utf8');
    expect(text(ARTEFACT_FILES.card)).toContain(`says yes of dev as often as ${rare.version} does`);
    // What unseen events are said to get is what serves.
    const { unseen } = JSON.parse(text(ARTEFACT_FILES.evaluation)) as Evaluation;
    const before85 = JSON.parse(
      Buffer.from(plain.bytes(ARTEFACT_FILES.evaluation)).toString('utf8'),
    ) as Evaluation;
    expect(unseen?.robust?.clean.confusion).not.toEqual(before85.unseen?.robust?.clean.confusion);
    expect(unseen?.perClaim.confusion).toEqual(unseen?.robust?.clean.confusion);
  });

  it('is refused where posts have pictures', async () => {
    const pictured = {
      ...data,
      examples: data.examples.map((example) => ({ ...example, picture: { key: 'a', file: null } })),
    };
    await expect(build('pictured', pictured, rare)).rejects.toMatchObject({ code: 'BAD_USAGE' });
  });
});
