/** The explainer over the shipped model and a registry: words of their own labels, and of nobody else's. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createExplainer } from '../../../src/cli/explainer.ts';
import type { RevisionView } from '../../../src/dashboard/wire.ts';
import { loadArtefact } from '../../../src/models/artefact.ts';
import { CHAMPION_DIR } from '../../../src/registry/champions.ts';

const models = await mkdtemp(join(tmpdir(), 'tocsin-explain-'));
const explainer = createExplainer(CHAMPION_DIR, models);
afterAll(async () => {
  await explainer.close();
  await rm(models, { recursive: true, force: true });
});

const { manifest } = await loadArtefact(CHAMPION_DIR);
const labelled = (probability: number | null, sha256: string): RevisionView =>
  ({
    text: 'Bridge on Mill Lane closed, water over the road',
    modalities: ['text'],
    tasks: [
      {
        task: 'informative',
        label: null,
        probability,
        decision: 'yes',
        byModality: { text: probability, image: null },
        evidence: [],
        model: probability === null ? null : { name: manifest.name, version: manifest.version, sha256 },
      },
    ],
  }) as unknown as RevisionView;
const own = manifest.files['text.onnx']?.sha256 as string;

describe('createExplainer', () => {
  it('names at most three words of the text, the strongest first', async () => {
    const words = (await explainer.explain(labelled(0.9, own))) as string[];
    expect(words.length).toBeGreaterThan(0);
    expect(words.length).toBeLessThanOrEqual(3);
    const drops = words.map((code) => {
      expect(code).toMatch(/^word:(bridge|on|mill|lane|closed|water|over|the|road):[+-]0[.]\d\d$/);
      return Math.abs(Number(code.split(':')[2]));
    });
    expect(drops).toEqual([...drops].sort((a, b) => b - a));
  });

  it('explains the label of a promoted model with that model, out of the registry', async () => {
    const elsewhere = createExplainer(join(models, 'nowhere'), models);
    expect(await elsewhere.explain(labelled(0.9, own))).toBeNull();
    await cp(CHAMPION_DIR, join(models, 'informative', manifest.version), { recursive: true });
    const words = await elsewhere.explain(labelled(0.9, own));
    await elsewhere.close();
    expect(words).toEqual(await explainer.explain(labelled(0.9, own)));
  });

  it('says nothing of a label without a score, of another model, or that rests on a picture', async () => {
    expect(await explainer.explain(labelled(null, own))).toBeNull();
    expect(await explainer.explain(labelled(0.9, 'f'.repeat(64)))).toBeNull();
    expect(await explainer.explain({ ...labelled(0.9, own), modalities: ['text', 'image'] })).toBeNull();
  });
});
