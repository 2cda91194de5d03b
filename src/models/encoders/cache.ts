/** Remembers what encoders gave: in memory for serving, on disk for training, so that nothing is encoded twice. */
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { open } from 'lmdb';
import { LRUCache } from 'lru-cache';
import type { Encoder, Modality, Packed } from './contract.ts';
import { fits } from './pack.ts';

/** Vectors by key. What it returns is what was put, or nothing. */
export interface VectorStore {
  get(key: string): Packed | undefined;
  put(rows: ReadonlyMap<string, Packed>): Promise<void>;
  close(): Promise<void>;
}

/** At most that many bytes of vectors, the least recently used go first. */
export function memoryStore(maxBytes: number): VectorStore {
  const rows = new LRUCache<string, Packed>({ maxSize: maxBytes, sizeCalculation: (row) => row.byteLength });
  return {
    get: (key) => rows.get(key),
    async put(fresh) {
      for (const [key, row] of fresh) rows.set(key, row);
    },
    close: async () => rows.clear(),
  };
}

/**
 * One LMDB file per encoder in `dir`. Several processes may share it; it grows with the data and may be deleted at any
 * time. A commit is flushed in the background: after a power cut the newest vectors may have to be computed again.
 */
export function diskStore(dir: string, encoder: { readonly id: string }): VectorStore {
  mkdirSync(dir, { recursive: true });
  const database = open<Buffer, string>({
    path: join(dir, `${encoder.id}.mdb`),
    encoding: 'binary',
    overlappingSync: true,
  });
  return {
    get(key) {
      const bytes = database.get(key);
      // Copied: LMDB's own memory is reused, and halves need an even address.
      return bytes && bytes.length % 2 === 0 ? new Uint16Array(Uint8Array.from(bytes).buffer) : undefined;
    },
    async put(rows) {
      await database.batch(() => {
        for (const [key, row] of rows)
          void database.put(key, Buffer.from(row.buffer, row.byteOffset, row.byteLength));
      });
    },
    close: () => database.close(),
  };
}

export interface CachedEncoder<M extends Modality> extends Encoder<M> {
  /** Samples since it was opened: found in the cache, and encoded. */
  readonly counts: { readonly hits: number; readonly misses: number };
}

/**
 * The same encoder behind a cache; its `close` closes both. Keys are hashes over everything that determines the vectors
 * (encoder, version, engine, weights, preprocessing) and the sample. Equal samples in a batch are encoded once.
 */
export function withCache<M extends Modality>(encoder: Encoder<M>, store: VectorStore): CachedEncoder<M> {
  const { id, version, engine, preprocess, weights, outputs } = encoder;
  const identity = JSON.stringify([id, version, engine, preprocess, weights.sha256]);
  const keyOf = (sample: string | Uint8Array): string =>
    createHash('sha256').update(identity).update('\n').update(sample).digest('base64url');
  const counts = { hits: 0, misses: 0 };
  return {
    ...encoder,
    counts,
    async encode(batch) {
      const keys = batch.map(keyOf);
      const rows = new Map<string, Packed>();
      const missing = new Map<string, (typeof batch)[number]>();
      keys.forEach((key, i) => {
        if (rows.has(key) || missing.has(key)) return;
        const row = store.get(key);
        if (row && fits(outputs, row.length)) rows.set(key, row);
        else missing.set(key, batch[i] as (typeof batch)[number]);
      });
      counts.misses += missing.size;
      counts.hits += batch.length - missing.size;
      if (missing.size > 0) {
        const fresh = await encoder.encode([...missing.values()]);
        const added = new Map([...missing.keys()].map((key, i) => [key, fresh[i] as Packed]));
        for (const [key, row] of added) rows.set(key, row);
        await store.put(added);
      }
      return keys.map((key) => rows.get(key) as Packed);
    },
    async close() {
      await encoder.close();
      await store.close();
    },
  };
}
