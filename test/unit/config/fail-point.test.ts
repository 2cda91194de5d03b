import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../../support/tocsin.ts';

/** What the child writes, and the signal that ended it. */
function runWith(failPoint: string | undefined): { readonly output: string; readonly signal: string | null } {
  const { TOCSIN_FAIL_POINT: _, ...env } = process.env;
  const child = spawnSync(
    process.execPath,
    ['--import', 'tsx', join(ROOT, 'test/support/fail-point-child.ts')],
    {
      cwd: ROOT,
      env: failPoint === undefined ? env : { ...env, TOCSIN_FAIL_POINT: failPoint },
    },
  );
  return { output: child.stdout.toString(), signal: child.signal };
}

describe('a fail point', () => {
  it('kills the process at the asked passage, and only where it is asked for', () => {
    expect(runWith(undefined)).toEqual({ output: '123', signal: null });
    expect(runWith('other.step')).toEqual({ output: '123', signal: null });
    expect(runWith('child.step')).toEqual({ output: '', signal: 'SIGKILL' });
    expect(runWith('child.step:3')).toEqual({ output: '12', signal: 'SIGKILL' });
  });
});
