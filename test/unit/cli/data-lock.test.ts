import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { lockDataDir } from '../../../src/cli/data-lock.ts';
import { temporaryFolder } from '../../support/tocsin.ts';

const folder = temporaryFolder();
afterEach(() => folder.remove());

it('refuses a second owner while the first lives, naming it', () => {
  const unlock = lockDataDir(folder.path);
  expect(() => lockDataDir(folder.path)).toThrowError(new RegExp(`in use.*process ${process.pid}`));
  unlock();
  lockDataDir(folder.path)();
});

it('takes over the lock of a process that is gone, also when its pid lives on in another process', () => {
  const path = join(folder.path, 'up.lock');
  lockDataDir(folder.path)();
  writeFileSync(path, '999999999 1');
  lockDataDir(folder.path)();
  writeFileSync(path, `${process.pid} 1`);
  const unlock = lockDataDir(folder.path);
  expect(readFileSync(path, 'utf8')).toContain(String(process.pid));
  unlock();
});
