/** What a fresh clone needs before anything of ours can run: packages and a build. Uses nothing but Node. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const OLDEST = [20, 19];

/** Ends the process with one clear line when this Node is too old. */
export function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return;
  console.error(`Tocsin needs Node ${OLDEST.join('.')} or newer; this is ${process.versions.node}.`);
  process.exit(2);
}

/** Runs a program in the project's folder; throws when it fails. */
export function sh(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: ROOT, stdio: 'inherit', ...options });
  if (result.error) throw result.error;
  if (result.status !== 0)
    throw new Error(`${command} ${args.join(' ')} ended with ${result.status ?? result.signal}`);
}

const sha256 = (data) => createHash('sha256').update(data).digest('hex');

function stamped(path, value, work) {
  if (existsSync(path) && readFileSync(path, 'utf8') === value) return false;
  rmSync(path, { force: true });
  work();
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, value);
  return true;
}

/** Installs the locked packages unless exactly these lie there already. */
export function install() {
  const lock = sha256(readFileSync(join(ROOT, 'package-lock.json'))) + process.versions.modules;
  stamped(join(ROOT, 'node_modules', '.tocsin-installed'), lock, () => {
    console.error('Installing packages …');
    const npm = process.env.npm_execpath;
    const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error', '--include=dev'];
    // Output goes to stderr so that the last line on stdout stays ours.
    if (npm?.endsWith('.js')) sh(process.execPath, [npm, ...args], { stdio: ['inherit', 2, 2] });
    else sh('npm', args, { stdio: ['inherit', 2, 2], shell: process.platform === 'win32' });
  });
}

function* files(path) {
  if (!existsSync(path)) return;
  if (statSync(path).isFile()) return void (yield path);
  for (const entry of readdirSync(path).sort()) yield* files(join(path, entry));
}

const SOURCES = ['src', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json', 'vite.config.ts'];

/** Builds dist/ unless it stems from exactly these sources. */
export function build() {
  const digest = createHash('sha256');
  for (const source of SOURCES)
    for (const file of files(join(ROOT, source)))
      digest.update(file.slice(ROOT.length)).update(readFileSync(file));
  stamped(join(ROOT, 'dist', '.tocsin-built'), digest.digest('hex'), () => {
    console.error('Building …');
    rmSync(join(ROOT, 'dist'), { recursive: true, force: true });
    const bin = (name) => join(ROOT, 'node_modules', '.bin', name);
    sh(bin('tsc'), ['-p', 'tsconfig.build.json'], { stdio: ['inherit', 2, 2] });
    sh(bin('vite'), ['build', '--config', 'src/dashboard/ui/vite.config.ts', '--logLevel', 'warn'], {
      stdio: ['inherit', 2, 2],
    });
  });
}
