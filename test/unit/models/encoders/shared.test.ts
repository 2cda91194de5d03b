import { describe, expect, it } from 'vitest';
import type { OpenEncoder } from '../../../../src/models/encoders/catalogued.ts';
import { shareEncoders } from '../../../../src/models/encoders/shared.ts';

describe('shared encoders', () => {
  it('are opened for the first and closed after the last', async () => {
    const log: string[] = [];
    const open = shareEncoders((async (id, modality) => {
      log.push(`+${id} ${modality}`);
      return { id, close: async () => void log.push(`-${id}`) };
    }) as OpenEncoder);
    const [one, two] = await Promise.all([open('a', 'text'), open('a', 'text')]);
    const other = await open('b', 'image');
    expect(log).toEqual(['+a text', '+b image']);
    await one.close();
    await one.close();
    expect(log).toHaveLength(2);
    await two.close();
    await other.close();
    expect(log.slice(2)).toEqual(['-a', '-b']);
    await (await open('a', 'text')).close();
    expect(log.slice(4)).toEqual(['+a text', '-a']);
  });

  it('are tried again after one could not be opened', async () => {
    let tries = 0;
    const open = shareEncoders(async () => {
      tries += 1;
      throw new Error('not there');
    });
    await expect(open('a', 'text')).rejects.toThrow('not there');
    await expect(open('a', 'text')).rejects.toThrow('not there');
    expect(tries).toBe(2);
  });
});
