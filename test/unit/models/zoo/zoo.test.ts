/** The list of architectures: names are unique and found, others are refused. */
import { expect, it } from 'vitest';
import { architecture, ZOO } from '../../../../src/models/zoo/zoo.ts';

it('finds every architecture by its name, which no other has', () => {
  expect(new Set(ZOO.map(({ name }) => name)).size).toBe(ZOO.length);
  for (const row of ZOO) expect(architecture(row.name)).toBe(row);
});

it('refuses an unknown name and says the nearest', () => {
  expect(() => architecture('text_cnn')).toThrow(/text_cnn.*text-cnn/);
});
