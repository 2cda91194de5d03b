import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { ROOT } from '../../support/tocsin.ts';

/** Makes the program believe that it runs on this version. */
const pretend = (version: string): string =>
  `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'${version}'}})`;

it.each(['bin/tocsin.mjs', 'scripts/start.mjs', 'scripts/test.mjs', 'scripts/bench.mjs'])(
  '%s refuses an older Node with one clear line',
  (program) => {
    for (const version of ['18.20.8', '20.18.3']) {
      const args = ['--import', pretend(version), program, 'ledger', '--only', 'none'];
      const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
      expect([status, stdout, stderr]).toEqual([
        2,
        '',
        `Tocsin needs Node 20.19 or newer; this is ${version}.\n`,
      ]);
    }
  },
);
