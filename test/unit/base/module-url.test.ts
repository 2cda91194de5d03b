import { describe, expect, it } from 'vitest';
import { runnableModule } from '../../../src/base/module-url.ts';

describe('runnableModule', () => {
  it('stays in the sources from sources', () => {
    const found = runnableModule('file:///p/src/a/b.ts', './thread');
    expect(found.url.href).toBe('file:///p/src/a/thread.ts');
    expect(found.execArgv).toEqual(['--import', 'tsx']);
  });

  it('stays in the build from the build', () => {
    const found = runnableModule('file:///p/dist/a/b.js', './thread');
    expect(found.url.href).toBe('file:///p/dist/a/thread.js');
    expect(found.execArgv).toEqual([]);
  });
});
