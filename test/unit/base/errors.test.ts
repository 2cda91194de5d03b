import { describe, expect, it } from 'vitest';
import { assertNever, asTocsinError, ERROR_CODES, TocsinError } from '../../../src/base/errors.ts';

describe('TocsinError', () => {
  it('knows for every code whether trying again may help', () => {
    for (const code of ERROR_CODES) expect(typeof new TocsinError(code, 'x').retryable).toBe('boolean');
    expect(new TocsinError('BUS_FULL', 'x').retryable).toBe(true);
    expect(new TocsinError('BUS_FENCED', 'x').retryable).toBe(false);
  });

  it('keeps its cause', () => {
    const cause = new Error('deep');
    const error = new TocsinError('INTERNAL', 'shallow', { cause });
    expect([error.name, error.message, error.cause]).toEqual(['TocsinError', 'shallow', cause]);
  });
});

describe('asTocsinError', () => {
  it('leaves a TocsinError alone and wraps everything else', () => {
    const own = new TocsinError('BAD_USAGE', 'x');
    expect(asTocsinError(own, 'doing')).toBe(own);
    expect(asTocsinError(new Error('deep'), 'doing')).toMatchObject({
      code: 'INTERNAL',
      message: 'doing: deep',
    });
    expect(asTocsinError('text', 'doing')).toMatchObject({
      code: 'INTERNAL',
      message: 'doing: text',
      cause: 'text',
    });
  });
});

describe('assertNever', () => {
  it('throws when it is reached after all', () => {
    expect(() => assertNever('x' as never)).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
  });
});
