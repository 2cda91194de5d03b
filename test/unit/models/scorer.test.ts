/** Serving: golden batch, independence of neighbours, missing modalities, dead threads, refusals. */
import { cp, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '../../../src/base/log.ts';
import { seededRandom } from '../../../src/base/random.ts';
import { createMetrics } from '../../../src/metrics/metrics.ts';
import { loadArtefact, sha256Of } from '../../../src/models/artefact.ts';
import { openEngine } from '../../../src/models/engine/engine.ts';
import type { Tf } from '../../../src/models/engine/tf.ts';
import type { Manifest } from '../../../src/models/manifest.ts';
import type { ScoreInput, Scorer } from '../../../src/models/port.ts';
import { openScorePool } from '../../../src/models/serving/pool.ts';
import { openScorer } from '../../../src/models/serving/scorer.ts';
import {
  gatherVectors,
  loadAllWords,
  loadVocabulary,
  loadWords,
  loadWordVectors,
  type Words,
} from '../../../src/models/words.ts';
import type { Network } from '../../../src/models/zoo/contract.ts';
import { buildMmn, MMN_DEFAULTS } from '../../../src/models/zoo/mmn.ts';
import { drawnPictures } from '../../support/drawn-pictures.ts';
import { rewriteManifest, writeTestArtefact } from '../../support/test-artefact.ts';

let tf: Tf;
let mmn: Network;
let folder: string;
let textOnly: string;
let pictured: string;
const open: Scorer[] = [];

const serve = async (dir: string, threads = 1, words?: readonly Words[]): Promise<Scorer> => {
  const metrics = createMetrics({ bare: true });
  const scorer = await openScorer({ dir, threads, metrics, log: silentLog, ...(words ? { words } : {}) });
  open.push(scorer);
  return scorer;
};

beforeAll(async () => {
  tf = await openEngine();
  mmn = buildMmn(tf, MMN_DEFAULTS, { kind: 'sigmoid', outputs: 1 }, 11);
  folder = await mkdtemp(join(tmpdir(), 'tocsin-scorer-'));
  textOnly = join(folder, 'text-only');
  pictured = join(folder, 'pictured');
  await writeTestArtefact(tf, mmn, textOnly, { image: 'untrained' });
  await writeTestArtefact(tf, mmn, pictured, { image: 'trained' });
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((scorer) => scorer.close()));
});
afterAll(async () => {
  mmn.dispose();
  await rm(folder, { recursive: true, force: true });
});

const pixels = drawnPictures(8);
/** Random posts; every third has a picture, every seventh no known word. */
function posts(n: number, withPictures: boolean): ScoreInput[] {
  const random = seededRandom(n);
  return Array.from({ length: n }, (_, i) => ({
    words: Int32Array.from({ length: 15 }, (_unused, k) =>
      i % 7 === 6 || k > i % 15 ? 0 : 1 + Math.floor(random() * 50_000),
    ),
    pixels: withPictures && i % 3 === 0 ? pixels.subarray((i % 8) * 12_288, ((i % 8) + 1) * 12_288) : null,
  }));
}

describe('openScorer', () => {
  it('gives the probability that tfjs gives', async () => {
    const scorer = await serve(textOnly);
    const batch = posts(5, false);
    const table = loadWordVectors();
    const outputs = await scorer.score(batch);
    tf.tidy(() => {
      batch.forEach(({ words }, i) => {
        const vectors = gatherVectors(table, words, new Float32Array(1500));
        const logit = mmn.forward({ words: tf.tensor3d(vectors, [1, 15, 100]) }).dataSync()[0];
        const wanted = 1 / (1 + Math.exp(-(1.5 * (logit as number) - 0.25)));
        expect(Math.abs((outputs[i]?.probability as number) - wanted)).toBeLessThan(1e-4);
        expect(outputs[i]?.byModality).toEqual({ text: outputs[i]?.probability, image: null });
        expect(outputs[i]?.modalities).toEqual(['text']);
      });
    });
  });

  it.each([1, 2])('scores a post alone as in any batch, bit for bit (%i threads)', async (threads) => {
    const scorer = await serve(pictured, threads);
    const batch = posts(150, true);
    const together = await scorer.score(batch);
    const alone = await Promise.all(batch.map(async (post) => (await scorer.score([post]))[0]));
    expect(together).toEqual(alone);
    expect(await scorer.score([...batch].reverse())).toEqual([...together].reverse());
    expect(await scorer.score([])).toEqual([]);
  });

  it('has no score for a post without a known word, and none from a picture that the model never learnt', async () => {
    const scorer = await serve(textOnly);
    const none = { probability: null, byModality: { text: null, image: null }, modalities: [] };
    const empty = { words: loadVocabulary().encode(''), pixels: null };
    const picture = { ...empty, pixels: pixels.subarray(0, 12_288) };
    const both = { words: loadVocabulary().encode('flood'), pixels: picture.pixels };
    const [first, second, third] = await scorer.score([empty, picture, both]);
    expect(first).toEqual(none);
    expect(second).toEqual(none);
    expect(third?.modalities).toEqual(['text']);
  });

  it('scores by picture alone, by text alone and by both where both are trained', async () => {
    const scorer = await serve(pictured);
    const words = loadVocabulary().encode('water on main street');
    const picture = pixels.subarray(0, 12_288);
    const [both, text, image] = await scorer.score([
      { words, pixels: picture },
      { words, pixels: null },
      { words: new Int32Array(15), pixels: picture },
    ]);
    expect(both?.modalities).toEqual(['text', 'image']);
    expect(text?.modalities).toEqual(['text']);
    expect(image?.modalities).toEqual(['image']);
    expect(both?.byModality.text).toBe(text?.probability);
    expect(both?.byModality.image).toBe(image?.probability);
    expect(image?.byModality).toEqual({ text: null, image: image?.probability });
    expect(both?.probability).not.toBe(text?.probability);
  });

  it('names the model by the file that serves', async () => {
    const manifest = (await loadArtefact(textOnly)).manifest;
    const scorer = await serve(textOnly);
    expect(scorer.model).toEqual({
      name: manifest.name,
      version: manifest.version,
      sha256: manifest.files['text.onnx']?.sha256,
    });
    expect((await serve(pictured)).model.sha256).toBe(manifest.files['joint.onnx']?.sha256);
    expect(scorer.thresholds).toEqual(manifest.thresholds);
  });

  it('serves a model of each reading with the words of all', async () => {
    const known = join(folder, 'known');
    await writeTestArtefact(tf, mmn, known, { image: 'untrained', reading: 'known' });
    const [own, shared] = [await serve(known), await serve(known, 1, Object.values(loadAllWords()))];
    expect([own.reading, (await serve(textOnly)).reading]).toEqual(['known', 'first']);
    const post = { words: loadVocabulary('known').encode('120 dead in the flood'), pixels: null };
    expect(await shared.score([post])).toEqual(await own.score([post]));
    await expect(serve(known, 1, [loadWords('first')])).rejects.toMatchObject({ code: 'MODEL_INVALID' });
  });

  it('refuses work after it was closed', async () => {
    const scorer = await serve(textOnly);
    await scorer.close();
    await expect(scorer.score(posts(1, false))).rejects.toMatchObject({ code: 'MODEL_UNAVAILABLE' });
  });
});

describe('a model that is not what it should be', () => {
  let copy: string;
  const damaged = async (damage: () => Promise<void>): Promise<void> => {
    copy = join(await mkdtemp(join(folder, 'damaged-')), 'model');
    await cp(textOnly, copy, { recursive: true });
    await damage();
    await expect(serve(copy)).rejects.toMatchObject({ code: 'MODEL_INVALID' });
  };
  const flip = async (name: string, at: number): Promise<void> => {
    const bytes = await readFile(join(copy, name));
    bytes[at] = (bytes[at] as number) ^ 1;
    await writeFile(join(copy, name), bytes);
  };
  const change = (edit: (manifest: Manifest) => Manifest): Promise<void> => rewriteManifest(copy, edit);

  it('is refused: a flipped bit in any file', () => damaged(() => flip('text.onnx', 5_000)));
  it('is refused: a flipped bit in the manifest', () => damaged(() => flip('manifest.json', 300)));
  it('is refused: a torn file', () => damaged(() => truncate(join(copy, 'joint.onnx'), 1_000)));
  it('is refused: a missing file', () => damaged(() => rm(join(copy, 'golden.json'))));
  it('is refused: another word table', () =>
    damaged(() => change((m) => ({ ...m, words: { id: '0123456789abcdef', size: 1 } }))));
  it('is refused: a file name that leaves the folder', () =>
    damaged(async () => {
      const path = join(copy, 'manifest.json');
      await writeFile(path, (await readFile(path, 'utf8')).replaceAll('text.onnx', '../t.onnx'));
    }));
  it('is refused: a graph that gives other logits than training did', () =>
    damaged(async () => {
      const other = buildMmn(tf, MMN_DEFAULTS, { kind: 'sigmoid', outputs: 1 }, 12);
      await writeTestArtefact(tf, other, join(folder, 'other'), { image: 'untrained', golden: mmn });
      other.dispose();
      copy = join(folder, 'other');
    }));
  /** Changes files and signs them off in the manifest, as a careless gate would. */
  const rewrite = async (files: Readonly<Record<string, Buffer>>): Promise<void> => {
    for (const [name, bytes] of Object.entries(files)) await writeFile(join(copy, name), bytes);
    const entries = Object.entries(files).map(
      ([name, bytes]) => [name, { sha256: sha256Of(bytes), bytes: bytes.length }] as const,
    );
    await change((m) => ({ ...m, files: { ...m.files, ...Object.fromEntries(entries) } }));
  };
  it('is refused: weights that are no numbers', () =>
    damaged(async () => {
      const tensors = tf.memory().numTensors;
      const other = buildMmn(tf, MMN_DEFAULTS, { kind: 'sigmoid', outputs: 1 }, 12);
      const { layers } = other;
      tf.tidy(() => layers.setWeights(layers.getWeights().map((w) => tf.fill(w.shape, Number.NaN))));
      copy = join(folder, 'nan');
      await writeTestArtefact(tf, other, copy, { image: 'untrained', golden: mmn });
      other.dispose();
      expect(tf.memory().numTensors).toBe(tensors);
    }));
  it('is refused: two files in each other’s place', () =>
    damaged(async () => {
      const [text, joint] = [
        await readFile(join(copy, 'text.onnx')),
        await readFile(join(copy, 'joint.onnx')),
      ];
      await rewrite({ 'text.onnx': joint, 'joint.onnx': text });
    }));
  it('is refused: a layer that nobody knows', () =>
    damaged(async () => {
      const bytes = await readFile(join(copy, 'text.onnx'));
      const at = bytes.indexOf('Relu');
      expect(at).toBeGreaterThan(0);
      bytes.write('Rexu', at);
      await rewrite({ 'text.onnx': bytes });
    }));
  it('is refused: no folder at all', () =>
    expect(serve(join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'MODEL_INVALID' }));
});

describe('scoring threads', () => {
  it('replace one that died, give up the job that kills and answer those behind it', async () => {
    const artefact = await loadArtefact(textOnly);
    const deaths: unknown[] = [];
    const pool = await openScorePool({
      threads: 1,
      log: { ...silentLog, warn: (fields) => deaths.push(fields) },
      data: {
        text: artefact.bytes('text.onnx'),
        joint: null,
        outputs: 1,
        table: loadWordVectors().buffer as SharedArrayBuffer,
      },
    });
    const job = { count: 64, words: new Int32Array(64 * 15).fill(3), pixels: null };
    const wanted = await pool.run(job);
    const deadly = pool.run({ ...job, count: -1 }); // no array has such a length: the thread ends by it
    const behind = Array.from({ length: 20 }, () => pool.run(job));
    await expect(deadly).rejects.toMatchObject({ code: 'MODEL_UNAVAILABLE' });
    for (const answer of behind) expect(await answer).toEqual(wanted);
    expect(deaths).toHaveLength(3);
    expect(await pool.run(job)).toEqual(wanted);
    await pool.close();
  });

  it('say what is wrong with a job, and refuse jobs once closed', async () => {
    const pool = await openScorePool({
      threads: 1,
      log: silentLog,
      data: { text: null, joint: null, outputs: 1, table: new SharedArrayBuffer(400) },
    });
    const job = { count: 1, words: new Int32Array(15), pixels: null };
    await expect(pool.run(job)).rejects.toMatchObject({ code: 'INTERNAL' });
    await pool.close();
    await expect(pool.run(job)).rejects.toMatchObject({ code: 'MODEL_UNAVAILABLE' });
  });

  it('cannot start on a graph that is none', async () => {
    const data = { text: new Uint8Array(10), joint: null, outputs: 1, table: new SharedArrayBuffer(400) };
    await expect(openScorePool({ threads: 1, log: silentLog, data })).rejects.toMatchObject({
      code: 'MODEL_INVALID',
    });
  });
});
