/** The cache: nothing is encoded twice, nothing is mixed up, what is torn is encoded again. */
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  diskStore,
  memoryStore,
  type VectorStore,
  withCache,
} from '../../../../src/models/encoders/cache.ts';
import type { Encoder, Packed } from '../../../../src/models/encoders/contract.ts';

const folder = mkdtempSync(join(tmpdir(), 'tocsin-vectors-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Encodes a text as its length and its first letter, and says what it was asked. */
function counting(change: Partial<Encoder<'text'>> = {}): Encoder<'text'> & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    id: 'counting',
    version: '1',
    engine: 'none',
    modality: 'text',
    outputs: [{ name: 'sentence', dims: [2] }],
    differentiable: false,
    preprocess: 'p',
    weights: { sha256: 'w', licence: 'none', origin: 'test' },
    asked,
    async encode(batch) {
      asked.push(...batch);
      return batch.map((text) => Uint16Array.of(text.length, text.charCodeAt(0)));
    },
    close: async () => {},
    ...change,
  };
}

describe.each<[string, (name: string) => VectorStore]>([
  ['memory', () => memoryStore(1_000_000)],
  ['disk', (name) => diskStore(join(folder, name), { id: 'counting' })],
])('withCache on %s', (_, open) => {
  it('asks the encoder for each distinct sample once and keeps the order', async () => {
    const encoder = counting();
    const cached = withCache(encoder, open('once'));
    const first = await cached.encode(['flood', 'fire', 'flood']);
    const second = await cached.encode(['fire', 'dam', 'flood']);
    expect(encoder.asked).toEqual(['flood', 'fire', 'dam']);
    expect(first).toEqual(await counting().encode(['flood', 'fire', 'flood']));
    expect(second).toEqual(await counting().encode(['fire', 'dam', 'flood']));
    expect(cached.counts).toEqual({ hits: 3, misses: 3 });
    await cached.close();
  });

  it.each<[string, Partial<Encoder<'text'>>]>([
    ['version', { version: '2' }],
    ['engine', { engine: 'another' }],
    ['preprocessing', { preprocess: 'q' }],
    ['weights', { weights: { sha256: 'v', licence: 'none', origin: 'test' } }],
  ])('does not hand out vectors of another %s', async (what, change) => {
    const store = open(`another-${what}`);
    await withCache(counting(), store).encode(['flood']);
    const other = counting(change);
    await withCache(other, store).encode(['flood']);
    expect(other.asked).toEqual(['flood']);
    await store.close();
  });

  it('encodes again what does not fit the outputs', async () => {
    const store = open('torn');
    const torn: VectorStore = { ...store, get: (key) => store.get(key)?.slice(0, 1) as Packed | undefined };
    const encoder = counting();
    const cached = withCache(encoder, torn);
    await cached.encode(['flood']);
    expect(await cached.encode(['flood'])).toEqual([Uint16Array.of(5, 102)]);
    expect(encoder.asked).toEqual(['flood', 'flood']);
    await cached.close();
  });
});

it('finds on disk what an earlier run encoded', async () => {
  const dir = join(folder, 'twice');
  const first = withCache(counting(), diskStore(dir, { id: 'counting' }));
  const rows = await first.encode(['flood', 'fire']);
  await first.close();
  const encoder = counting();
  const second = withCache(encoder, diskStore(dir, { id: 'counting' }));
  expect(await second.encode(['flood', 'fire'])).toEqual(rows);
  expect(encoder.asked).toEqual([]);
  await second.close();
});

it('lets the least recently used go first when memory is full', async () => {
  const encoder = counting();
  const cached = withCache(encoder, memoryStore(8)); // two rows of four bytes
  await cached.encode(['a', 'b']);
  await cached.encode(['a']);
  await cached.encode(['c']);
  await cached.encode(['a']);
  expect(encoder.asked).toEqual(['a', 'b', 'c']);
  await cached.encode(['b']);
  expect(encoder.asked).toEqual(['a', 'b', 'c', 'b']);
});
