import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MAX_PICTURE_BYTES, openMediaStore, storeKey } from '../../../src/media/store.ts';

describe('media store', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'tocsin-store-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const bytes = new TextEncoder().encode('not really a picture');
  const files = (): string[] =>
    readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => entry.name);

  it('gives back what was put, in its own area only', async () => {
    const store = openMediaStore(dir);
    const key = await store.quarantine.put(bytes);
    expect(key).toBe(storeKey(bytes));
    expect(new Uint8Array((await store.quarantine.get(key)) as Uint8Array)).toEqual(bytes);
    expect(await store.quarantine.has(key)).toBe(true);
    expect(await store.previews.get(key)).toBeNull();
    expect(await store.previews.has(key)).toBe(false);
  });

  it('keeps equal bytes once, also when they are put at the same time', async () => {
    const store = openMediaStore(dir);
    const keys = await Promise.all(Array.from({ length: 20 }, () => store.previews.put(bytes)));
    expect(new Set(keys).size).toBe(1);
    expect(files()).toEqual([keys[0]]);
  });

  it('survives reopening', async () => {
    const key = await openMediaStore(dir).quarantine.put(bytes);
    expect(await openMediaStore(dir).quarantine.has(key)).toBe(true);
  });

  it.each(['', '..', '../../etc/passwd', 'A'.repeat(64), `${'a'.repeat(63)}/`, `${'a'.repeat(64)}\0`])(
    'never touches the disk for the key %j',
    async (key) => {
      const store = openMediaStore(dir);
      expect(await store.quarantine.get(key)).toBeNull();
      expect(await store.quarantine.has(key)).toBe(false);
    },
  );

  it('refuses no bytes and too many', async () => {
    const { quarantine } = openMediaStore(dir);
    await expect(quarantine.put(new Uint8Array())).rejects.toMatchObject({ code: 'MEDIA_REFUSED' });
    await expect(quarantine.put(new Uint8Array(MAX_PICTURE_BYTES + 1))).rejects.toMatchObject({
      code: 'MEDIA_REFUSED',
    });
    await expect(quarantine.put(new Uint8Array(MAX_PICTURE_BYTES))).resolves.toHaveLength(64);
  });

  it('does not hand out a file whose bytes were changed, and heals a cut one', async () => {
    const { quarantine } = openMediaStore(dir);
    const key = await quarantine.put(bytes);
    writeFileSync(join(dir, 'media', 'quarantine', key.slice(0, 2), key.slice(2, 4), key), 'cut');
    expect(await quarantine.get(key)).toBeNull();
    await quarantine.put(bytes);
    expect(await quarantine.get(key)).not.toBeNull();
  });

  it('is shared by several processes', async () => {
    const store = fileURLToPath(new URL('../../../src/media/store.ts', import.meta.url));
    const code = `import { openMediaStore } from ${JSON.stringify(store)};
      const { previews } = openMediaStore(process.argv[1]);
      for (let i = 0; i < 50; i += 1) await previews.put(new TextEncoder().encode('picture ' + i));`;
    const child = (): Promise<number | null> =>
      new Promise((resolve) => {
        spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code, dir]).once(
          'exit',
          resolve,
        );
      });
    expect(await Promise.all([child(), child()])).toEqual([0, 0]);
    expect(files()).toHaveLength(50);
    const { previews } = openMediaStore(dir);
    for (let i = 0; i < 50; i += 1)
      expect(await previews.get(storeKey(new TextEncoder().encode(`picture ${i}`)))).not.toBeNull();
  });
});
