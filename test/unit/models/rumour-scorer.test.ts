/** Serving MAFN with tiny encoders: equality with training, independence of neighbours, missing modalities, refusals. */
import { cp, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '../../../src/base/log.ts';
import { seededRandom } from '../../../src/base/random.ts';
import { createMetrics, type Metrics } from '../../../src/metrics/metrics.ts';
import type { OpenEncoder } from '../../../src/models/encoders/catalogued.ts';
import { createEntityTagger } from '../../../src/models/encoders/entities.ts';
import { openEncoder } from '../../../src/models/encoders/open.ts';
import { openEngine } from '../../../src/models/engine/engine.ts';
import type { Tf } from '../../../src/models/engine/tf.ts';
import type { RumourInput, RumourScorer } from '../../../src/models/port.ts';
import { openRumourScorer } from '../../../src/models/serving/rumour-scorer.ts';
import { loadVocabulary, loadWordVectors } from '../../../src/models/words.ts';
import type { Network } from '../../../src/models/zoo/contract.ts';
import { MAFN_DEFAULTS, mafn } from '../../../src/models/zoo/mafn.ts';
import { buildTable } from '../../../src/training/build-table.ts';
import { dimsOf, type Encoders } from '../../../src/training/encoders.ts';
import { buildTestMafn, rewriteManifest, writeTestRumourArtefact } from '../../support/test-artefact.ts';
import { writeTinyPictureEncoder, writeTinyTextEncoder } from '../../support/tiny-encoders.ts';

const SIDE = 224;
const PICTURE_BYTES = SIDE * SIDE * 3;
let tf: Tf;
let network: Network;
let encoders: Encoders;
let folder: string;
let pictured: string;
let textOnly: string;
let openTiny: OpenEncoder;
const open: RumourScorer[] = [];

const serve = async (
  dir: string,
  openWith: OpenEncoder = openTiny,
  metrics: Metrics = createMetrics({ bare: true }),
): Promise<RumourScorer> => {
  const scorer = await openRumourScorer({ dir, openEncoder: openWith, metrics, log: silentLog });
  open.push(scorer);
  return scorer;
};

beforeAll(async () => {
  tf = await openEngine();
  folder = await mkdtemp(join(tmpdir(), 'tocsin-rumour-'));
  const rows = {
    text: writeTinyTextEncoder(join(folder, 'text')),
    image: writeTinyPictureEncoder(join(folder, 'image')),
  };
  openTiny = (_id, modality) =>
    openEncoder(rows[modality], modality, { dir: join(folder, modality), threads: 1, log: silentLog });
  const [text, image] = [await openTiny('', 'text'), await openTiny('', 'image')];
  encoders = {
    vocabulary: loadVocabulary(),
    wordVectors: loadWordVectors(),
    text,
    image,
    tagger: createEntityTagger(),
    close: async () => {
      await Promise.all([text.close(), image.close()]);
    },
  };
  network = buildTestMafn(tf, encoders, 7);
  pictured = join(folder, 'pictured');
  textOnly = join(folder, 'text-only');
  await writeTestRumourArtefact(tf, network, encoders, pictured);
  await writeTestRumourArtefact(tf, network, encoders, textOnly, { image: 'untrained' });
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((scorer) => scorer.close()));
});
afterAll(async () => {
  network.dispose();
  await encoders.close();
  await rm(folder, { recursive: true, force: true });
});

const noise = (seed: number): Uint8Array => {
  const random = seededRandom(seed);
  return Uint8Array.from({ length: PICTURE_BYTES }, () => Math.floor(256 * random()));
};
const PICTURES = [1, 2, 3].map(noise);

/** Texts of different lengths, some with entities; every third has a picture, every seventh no text. */
function contents(n: number): RumourInput[] {
  const words = 'flood in Texas bridge two people rescued Monday Obama said 50 shark'.split(' ');
  return Array.from({ length: n }, (_, i) => ({
    text:
      i % 7 === 6
        ? ''
        : Array.from({ length: 1 + (i % 11) }, (_unused, k) => words[(i * 5 + k * 3) % words.length]).join(
            ' ',
          ),
    picture: i % 3 === 0 ? (PICTURES[i % PICTURES.length] as Uint8Array) : null,
  }));
}

describe('openRumourScorer', () => {
  it('gives the probability that the network in training gives', async () => {
    const before = tf.memory().numTensors;
    const scorer = await serve(pictured);
    const [input] = contents(1) as [RumourInput];
    const [output] = await scorer.score([input]);
    const shown = { text: input.text, pixels: input.picture, large: async () => input.picture, event: -1 };
    const table = await buildTable([shown], mafn.columns(MAFN_DEFAULTS), encoders, dimsOf(encoders, 0));
    const [no, yes] = tf.tidy(() => network.forward(table.batch(tf, [0])).dataSync()) as Float32Array;
    const wanted = 1 / (1 + Math.exp(-(1.5 * ((yes as number) - (no as number)) - 0.25)));
    expect(Math.abs((output?.probability as number) - wanted)).toBeLessThan(1e-4);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('scores a content alone as in any batch, bit for bit', async () => {
    const scorer = await serve(pictured);
    const batch = contents(50);
    const together = await scorer.score(batch);
    const alone: unknown[] = [];
    for (const content of batch) alone.push((await scorer.score([content]))[0]);
    expect(together).toEqual(alone);
    expect(new Set(together.map(({ probability }) => probability)).size).toBeGreaterThan(10);
    expect(await scorer.score([])).toEqual([]);
  });

  it('scores by text, by picture and by both, and has no score for nothing', async () => {
    const scorer = await serve(pictured);
    const picture = PICTURES[0] as Uint8Array;
    const [both, text, image, none] = await scorer.score([
      { text: 'shark in the street', picture },
      { text: 'shark in the street', picture: null },
      { text: '', picture },
      { text: '', picture: null },
    ]);
    expect([both, text, image, none].map((output) => output?.modalities)).toEqual([
      ['text', 'image'],
      ['text'],
      ['image'],
      [],
    ]);
    expect(both?.byModality).toEqual({ text: text?.probability, image: image?.probability });
    expect(both?.probability).not.toBe(text?.probability);
    expect(none).toEqual({ probability: null, byModality: { text: null, image: null }, modalities: [] });
  });

  it('shows no picture to a network that never saw one', async () => {
    const scorer = await serve(textOnly);
    const picture = PICTURES[0] as Uint8Array;
    const [both, image] = await scorer.score([
      { text: 'shark', picture },
      { text: '', picture },
    ]);
    expect(both?.modalities).toEqual(['text']);
    expect(image?.probability).toBeNull();
  });

  it('encodes equal texts and pictures once', async () => {
    const metrics = createMetrics({ bare: true });
    const scorer = await serve(pictured, openTiny, metrics);
    const picture = PICTURES[0] as Uint8Array;
    await scorer.score([
      { text: 'shark', picture },
      { text: 'shark', picture: picture.slice() },
    ]);
    await scorer.score([{ text: 'shark', picture: null }]);
    const { body } = await metrics.expose();
    expect(body).toContain('tocsin_encoder_samples_total{modality="text",result="encoded"} 1');
    expect(body).toContain('tocsin_encoder_samples_total{modality="text",result="cached"} 2');
    expect(body).toContain('tocsin_encoder_samples_total{modality="image",result="encoded"} 1');
    expect(body).toContain('tocsin_encoder_samples_total{modality="image",result="cached"} 1');
  });

  it('refuses work after it was closed', async () => {
    const scorer = await serve(pictured);
    await scorer.close();
    await expect(scorer.score(contents(1))).rejects.toMatchObject({ code: 'MODEL_UNAVAILABLE' });
  });
});

describe('a rumour model that is not what it should be', () => {
  let copy: string;
  const damaged = async (damage: () => Promise<void>, openWith?: OpenEncoder): Promise<void> => {
    copy = join(await mkdtemp(join(folder, 'damaged-')), 'model');
    await cp(pictured, copy, { recursive: true });
    await damage();
    await expect(serve(copy, openWith)).rejects.toMatchObject({ code: 'MODEL_INVALID' });
  };

  it('is refused: a flipped bit', () =>
    damaged(async () => {
      const bytes = await readFile(join(copy, 'rumour.onnx'));
      bytes[4_000] = (bytes[4_000] as number) ^ 1;
      await writeFile(join(copy, 'rumour.onnx'), bytes);
    }));
  it('is refused: a torn file', () => damaged(() => truncate(join(copy, 'golden.json'), 1_000)));
  it('is refused: a model of another task', () =>
    damaged(() => rewriteManifest(copy, (manifest) => ({ ...manifest, task: 'informative' }))));
  it('is refused: a manifest without one of its encoders', () =>
    damaged(() =>
      rewriteManifest(copy, (manifest) => ({ ...manifest, encoders: manifest.encoders.slice(0, 1) })),
    ));
  it.each(['sha256', 'preprocess'] as const)('is refused: an encoder with another %s', (field) =>
    damaged(() =>
      rewriteManifest(copy, (manifest) => ({
        ...manifest,
        encoders: manifest.encoders.map((encoder) => ({ ...encoder, [field]: 'f'.repeat(64) })),
      })),
    ),
  );
  it('is refused: a network that gives other margins than training did', () =>
    damaged(async () => {
      const other = buildTestMafn(tf, encoders, 8);
      await rm(copy, { recursive: true });
      await writeTestRumourArtefact(tf, other, encoders, copy, { image: 'trained', golden: network });
      other.dispose();
    }));
  it('is refused: encoders that say who they are and give other vectors', () =>
    damaged(
      async () => {},
      async (id, modality) => {
        const encoder = await openTiny(id, modality);
        return { ...encoder, encode: async (batch) => encoder.encode(batch.map(() => batch[0] as never)) };
      },
    ));
});
