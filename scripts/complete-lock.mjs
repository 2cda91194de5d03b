/**
 * Maintainers: run after every `npm install`. npm leaves a platform's optional packages out of package-lock.json when the
 * registry that it asked does not have them, and `npm ci` then refuses the lock on every machine. This puts them back:
 * their versions are exact in the packages that ask for them, their platforms are in their names.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './lib/setup.mjs';

const path = join(ROOT, 'package-lock.json');
const lock = JSON.parse(readFileSync(path, 'utf8'));

const OS = [
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'aix',
  'win32',
];
const CPU = {
  riscv64: 'riscv64',
  ppc64: 'ppc64',
  s390x: 's390x',
  loong64: 'loong64',
  mips64el: 'mips64el',
  arm64: 'arm64',
  x64: 'x64',
  ia32: 'ia32',
  wasm32: 'wasm32',
  arm: 'arm',
};

let added = 0;
for (let again = true; again; ) {
  again = false;
  for (const [from, entry] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      const nested = `${from}/node_modules/${name}`;
      if (lock.packages[`node_modules/${name}`] || lock.packages[nested]) continue;
      const words = name.split(/[/@-]/);
      const os = OS.filter((o) => words.includes(o));
      const cpu = Object.keys(CPU).find((c) =>
        words.some((w) => w === c || (c === 'arm' && w.startsWith('arm') && w !== 'arm64')),
      );
      const libc =
        words.includes('musl') || words.includes('linuxmusl')
          ? ['musl']
          : words.includes('gnu') || words.includes('glibc')
            ? ['glibc']
            : null;
      if (words.includes('linuxmusl')) os.push('linux');
      lock.packages[`node_modules/${name}`] = {
        version: /\d+\.\d+\.\d+[\w.-]*/.exec(version)?.[0] ?? version,
        ...(cpu ? { cpu: [cpu] } : {}),
        ...(libc ? { libc } : {}),
        ...(entry.dev ? { dev: true } : {}),
        optional: true,
        ...(os.length > 0 ? { os } : {}),
      };
      added += 1;
      again = true;
    }
  }
}
lock.packages = Object.fromEntries(
  Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)),
);
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
console.error(`${added} optional packages of other platforms put back.`);
