import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TocsinError } from '../../../../src/base/errors.ts';
import { markFormat, openStore } from '../../../../src/bus/embedded/store.ts';
import { killCommitters } from '../../../support/commit-suite.ts';
import { temporaryDir, temporaryStore } from '../../../support/embedded.ts';

describe('store', () => {
  it('keeps nothing of a transaction that throws, in whatever place', async () => {
    const store = await temporaryStore();
    await store.write(() => store.heads.put(['t', 0], 1));
    const before = store.commits();
    await expect(
      store.write(() => {
        store.heads.put(['t', 0], 2);
        store.chunks.put(['t', 0, 1], new Uint8Array(100_000));
        throw new TocsinError('BUS_FENCED', 'too late');
      }),
    ).rejects.toMatchObject({ code: 'BUS_FENCED' });
    store.fresh();
    expect(store.heads.get(['t', 0])).toBe(1);
    expect(store.chunks.get(['t', 0, 1])).toBe(undefined);
    expect(store.commits()).toBe(before);
  });

  it('keeps the good ones of transactions that were begun together', async () => {
    const store = await temporaryStore();
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) =>
        store.write(() => {
          store.heads.put(['t', i], i);
          if (i % 3 === 0) throw new Error('no');
        }),
      ),
    );
    store.fresh();
    results.forEach((result, i) => {
      expect(result.status).toBe(i % 3 === 0 ? 'rejected' : 'fulfilled');
      expect(store.heads.get(['t', i])).toBe(i % 3 === 0 ? undefined : i);
    });
  });

  it('says BUS_COMMIT_FAILED for what it did not expect', async () => {
    const store = await temporaryStore();
    await expect(store.write(() => store.heads.put(['x'.repeat(5_000)], 1))).rejects.toMatchObject({
      code: 'BUS_COMMIT_FAILED',
    });
  });

  it('shows the commits of another connection, and counts them', async () => {
    const path = join(temporaryDir(), 'x.mdb');
    const [a, b] = [await temporaryStore(path), await temporaryStore(path)];
    const before = b.commits();
    await a.write(() => a.heads.put(['t', 0], 7));
    expect(b.commits()).toBe(before + 1);
    expect(b.heads.get(['t', 0])).toBe(7);
    await a.write(() => a.heads.put(['t', 0], 8), true);
    expect(b.commits()).toBe(before + 1);
    b.fresh();
    expect(b.heads.get(['t', 0])).toBe(8);
  });

  it('hands out copies, not windows into the file', async () => {
    const store = await temporaryStore();
    await store.write(() => store.chunks.put(['t', 0, 0], new Uint8Array(5_000).fill(1)));
    const first = store.chunks.get(['t', 0, 0]);
    await store.write(() => store.chunks.put(['t', 0, 0], new Uint8Array(5_000).fill(2)));
    for (let i = 1; i < 50; i += 1)
      await store.write(() => store.chunks.put(['t', 0, i], new Uint8Array(5_000).fill(3)));
    expect(first?.every((byte) => byte === 1)).toBe(true);
    expect(store.chunks.range(['t', 0, 0], ['t', 0, 2]).map((entry) => entry.value[0])).toEqual([2, 3]);
  });

  it('stays open while another store of the process has it', async () => {
    const path = join(temporaryDir(), 'x.mdb');
    const [a, b] = [await temporaryStore(path), await temporaryStore(path)];
    await a.close();
    await b.write(() => b.heads.put(['t', 0], 7));
    const again = await temporaryStore(path);
    expect(again.heads.get(['t', 0])).toBe(7);
    await Promise.all([b.close(), again.close()]);
    expect((await temporaryStore(path)).heads.get(['t', 0])).toBe(7);
  });

  it('loses and damages nothing while other processes open it and are killed', async () => {
    const { faults, commits } = await killCommitters(2, 8);
    expect(faults).toEqual([]);
    expect(commits).toBeGreaterThan(100);
  });

  it('refuses everything once it is closed', async () => {
    const store = await temporaryStore();
    await store.close();
    await store.close();
    expect(() => store.commits()).toThrow(expect.objectContaining({ code: 'BUS_CLOSED' }));
    expect(() => store.heads.get(['t', 0])).toThrow(expect.objectContaining({ code: 'BUS_CLOSED' }));
    await expect(store.write(() => {})).rejects.toMatchObject({ code: 'BUS_CLOSED' });
  });

  it('refuses a file of another format and a place that is none', async () => {
    const path = join(temporaryDir(), 'x.mdb');
    const store = await openStore(path, 1_000_000, () => {});
    await markFormat(store);
    await store.write(() => store.meta.put(['format'], 99));
    await store.close();
    await expect(openStore(path, 1_000_000, () => {})).rejects.toMatchObject({ code: 'BAD_CONFIG' });
    const file = join(temporaryDir(), 'file');
    writeFileSync(file, '');
    await expect(openStore(join(file, 'x.mdb'), 1_000_000, () => {})).rejects.toMatchObject({
      code: 'BUS_UNREACHABLE',
    });
  });
});
