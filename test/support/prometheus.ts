/**
 * prometheus and promtool: those on the PATH, else those of Debian's package `prometheus`, unpacked into .cache without
 * installing it (an installed package would start a server). Where neither can be had, the error names the command that
 * installs it.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './tocsin.ts';

const UNPACKED = join(ROOT, '.cache', 'prometheus');
const HINT =
  'prometheus and its promtool are needed to check rules and dashboards. Install them: apt-get install prometheus ' +
  '(Debian, Ubuntu), brew install prometheus (macOS), or from https://prometheus.io/download/';

export interface ToolResult {
  readonly status: number | null;
  /** stdout and stderr together. */
  readonly output: string;
}

function execute(command: string, args: readonly string[], cwd: string = ROOT): ToolResult {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  return { status: error ? null : status, output: error ? error.message : `${stdout}${stderr}` };
}

const works = (command: string): boolean => execute(command, ['--version']).status === 0;

/** The program to run. Throws with the command that installs it. */
export function findPrometheus(program: 'prometheus' | 'promtool'): string {
  if (works(program)) return program;
  if (!existsSync(UNPACKED)) unpack();
  const unpacked = join(UNPACKED, program);
  if (works(unpacked)) return unpacked;
  throw new Error(HINT);
}

/** Downloads Debian's package and unpacks it. Needs apt's lists; root refreshes them when they are missing or old. */
function unpack(): void {
  mkdirSync(join(ROOT, '.cache'), { recursive: true });
  const folder = mkdtempSync(join(ROOT, '.cache', 'prometheus-'));
  const download = (): ToolResult => execute('apt-get', ['download', '-qq', 'prometheus'], folder);
  try {
    let result = download();
    if (result.status !== 0) {
      execute('apt-get', ['update', '-qq']);
      result = download();
    }
    const file = readdirSync(folder).find((name) => name.endsWith('.deb'));
    if (result.status !== 0 || file === undefined) throw new Error(`${HINT}\n${result.output}`);
    const unpacked = execute('dpkg-deb', ['-x', join(folder, file), join(folder, 'files')]);
    if (unpacked.status !== 0) throw new Error(`${HINT}\n${unpacked.output}`);
    renameSync(join(folder, 'files', 'usr', 'bin'), UNPACKED);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs promtool in the project's folder. */
export function promtool(...args: readonly string[]): ToolResult {
  return execute(findPrometheus('promtool'), args);
}
