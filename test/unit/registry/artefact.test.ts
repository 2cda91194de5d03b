/** Artefacts are written whole or not at all, and say when they are damaged. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeManifest, loadArtefact, sha256Of } from '../../../src/models/artefact.ts';
import type { Manifest } from '../../../src/models/manifest.ts';
import { writeArtefact } from '../../../src/registry/artefact.ts';
import { CHAMPION_DIR } from '../../../src/registry/champions.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-artefact-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const manifestOf = async (): Promise<Omit<Manifest, 'files'>> => {
  const { files: _, ...manifest } = (await loadArtefact(CHAMPION_DIR)).manifest;
  return manifest;
};
const FILES = { 'a.bin': Uint8Array.of(1, 2, 3), 'deep/b.txt': 'words' };

describe('writeArtefact', () => {
  it('writes every file with its hash, readable by all, and nothing beside it', async () => {
    const dir = join(folder, 'new', 'model');
    const artefact = await writeArtefact(dir, FILES, await manifestOf());
    expect(artefact.manifest.files).toEqual({
      'a.bin': { sha256: sha256Of(Uint8Array.of(1, 2, 3)), bytes: 3 },
      'deep/b.txt': { sha256: sha256Of('words'), bytes: 5 },
    });
    expect([...artefact.bytes('a.bin')]).toEqual([1, 2, 3]);
    expect(() => artefact.bytes('c')).toThrow(/names no c/);
    expect(await readdir(join(folder, 'new'))).toEqual(['model']);
    expect((await readdir(dir)).sort()).toEqual(['a.bin', 'deep', 'manifest.json']);
  });

  it('keeps where a retrained model comes from', async () => {
    const origin = {
      parent: 'ab'.repeat(32),
      provenance: { human: 40, crafted: 160 },
      round: 'informative-7',
    };
    const { manifest } = await writeArtefact(join(folder, 'model'), FILES, {
      ...(await manifestOf()),
      ...origin,
    });
    expect(manifest).toMatchObject(origin);
  });

  it('takes an empty folder, refuses one with anything in it', async () => {
    const manifest = await manifestOf();
    await mkdir(join(folder, 'empty'));
    await writeArtefact(join(folder, 'empty'), FILES, manifest);
    await expect(writeArtefact(join(folder, 'empty'), FILES, manifest)).rejects.toMatchObject({
      code: 'BAD_USAGE',
    });
  });

  it('leaves nothing behind when it cannot be finished', async () => {
    const bad = { ...(await manifestOf()), task: 'unknown' as 'informative' };
    await expect(writeArtefact(join(folder, 'model'), FILES, bad)).rejects.toThrow();
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('loadArtefact', () => {
  it('refuses any single flipped bit, in any file', async () => {
    const dir = join(folder, 'model');
    await writeArtefact(dir, FILES, await manifestOf());
    const names = ['a.bin', 'deep/b.txt', 'manifest.json'];
    const originals = new Map<string, Buffer>();
    for (const name of names) originals.set(name, await readFile(join(dir, name)));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), fc.nat(), fc.nat(7), async (name, at, bit) => {
        const bytes = Buffer.from(originals.get(name) as Buffer);
        const index = at % bytes.length;
        bytes[index] = (bytes[index] as number) ^ (1 << bit);
        await writeFile(join(dir, name), bytes);
        await expect(loadArtefact(dir)).rejects.toMatchObject({ code: 'MODEL_INVALID' });
        await writeFile(join(dir, name), originals.get(name) as Buffer);
      }),
      { numRuns: 60 },
    );
    await loadArtefact(dir);
  });

  it('writes equal manifests as equal text, whatever the order of their fields', async () => {
    const manifest: Manifest = { ...(await manifestOf()), files: {} };
    const reversed = Object.fromEntries(Object.entries(manifest).reverse()) as unknown as Manifest;
    expect(encodeManifest(reversed)).toBe(encodeManifest(manifest));
  });
});

describe('the shipped champion', () => {
  it('is whole, small, honest about its picture branch and has a card', async () => {
    const { manifest, bytes } = await loadArtefact(CHAMPION_DIR);
    expect(manifest.modalities).toEqual({ text: 'trained', image: 'untrained' });
    const total = Object.values(manifest.files).reduce((sum, file) => sum + file.bytes, 0);
    expect(total).toBeLessThan(8_000_000);
    const card = Buffer.from(bytes('MODEL_CARD.md')).toString('utf8');
    expect(card).toContain(manifest.version);
    expect(card).toContain('naive Bayes');
  });
});
