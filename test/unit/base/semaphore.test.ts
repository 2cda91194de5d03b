import { describe, expect, it } from 'vitest';
import { createSemaphore } from '../../../src/base/semaphore.ts';
import { gate } from '../../support/until.ts';

describe('semaphore', () => {
  it('lets no more in than it has room for, in the order of asking', async () => {
    const semaphore = createSemaphore(2);
    const gates = Array.from({ length: 5 }, gate);
    const entered: number[] = [];
    const work = gates.map((door, i) =>
      semaphore.run(async () => {
        entered.push(i);
        await door.opened;
        return i;
      }),
    );
    await Promise.resolve();
    expect(entered).toEqual([0, 1]);
    gates[1]?.open();
    await work[1];
    expect(entered).toEqual([0, 1, 2]);
    for (const door of gates) door.open();
    expect(await Promise.all(work)).toEqual([0, 1, 2, 3, 4]);
    expect(entered).toEqual([0, 1, 2, 3, 4]);
  });

  it('gives the room back after an error', async () => {
    const semaphore = createSemaphore(1);
    await expect(semaphore.run(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(await semaphore.run(async () => 'fine')).toBe('fine');
  });
});
