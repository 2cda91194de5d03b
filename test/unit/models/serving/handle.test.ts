import { describe, expect, it } from 'vitest';
import { createHandle } from '../../../../src/models/serving/handle.ts';

const part = (name: string, closed: string[]) => ({
  name,
  close: async () => {
    closed.push(name);
  },
});

describe('a handle', () => {
  it('keeps the old one open for the slices that hold it, and gives new slices the new one', async () => {
    const closed: string[] = [];
    const handle = createHandle(part('old', closed));
    const [first, second] = [handle.lease(), handle.lease()];
    const drained = handle.swap(part('new', closed));
    const third = handle.lease();
    expect([first, second, third].map(({ value }) => value.name)).toEqual(['old', 'old', 'new']);
    first.release();
    first.release(); // a second time counts for nothing
    await Promise.resolve();
    expect(closed).toEqual([]);
    second.release();
    await drained;
    expect(closed).toEqual(['old']);
    third.release();
    await handle.close();
    expect(closed).toEqual(['old', 'new']);
  });

  it('closes at once what nobody holds', async () => {
    const closed: string[] = [];
    const handle = createHandle(part('old', closed));
    await handle.swap(part('new', closed));
    expect(closed).toEqual(['old']);
    expect(handle.current().name).toBe('new');
  });
});
