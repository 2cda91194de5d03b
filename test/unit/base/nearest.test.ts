/** The name that was meant. */
import { expect, it } from 'vitest';
import { nearest } from '../../../src/base/nearest.ts';

it('finds the name with the fewest changed letters, whatever the case', () => {
  const known = ['visual-cnn', 'text-cnn', 'mmn', 'mafn'];
  expect(nearest('text_cnn', known)).toBe('text-cnn');
  expect(nearest('MANF', known)).toBe('mafn');
  expect(nearest('mmm', known)).toBe('mmn');
  expect(nearest('mmn', known)).toBe('mmn');
  expect(nearest('x', [])).toBeNull();
});
