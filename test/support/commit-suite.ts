/** What is committed to an embedded store stays, while other processes open it, commit and are killed. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { seededRandom } from '../../src/base/random.ts';
import { systemClock } from '../../src/base/clock.ts';
import { temporaryDir } from './embedded.ts';
import { until } from './until.ts';

const CHILD = fileURLToPath(new URL('./commit-child.ts', import.meta.url));

interface Child {
  readonly process: ChildProcessByStdio<null, Readable, null>;
  readonly lines: string[];
}

/**
 * @param counters processes that commit all the time
 * @param kills processes that open the store and commit, each killed (SIGKILL) within 50 ms
 * @returns what was lost or damaged, and how many commits there were
 */
export async function killCommitters(
  counters: number,
  kills: number,
): Promise<{ readonly faults: readonly string[]; readonly commits: number }> {
  const path = join(temporaryDir(), 'x.mdb');
  const random = seededRandom(7);
  const children: Child[] = [];
  const start = async (name: string): Promise<Child> => {
    const child = spawn(process.execPath, ['--import', 'tsx', CHILD, path, name], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines: string[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
    const started = { process: child, lines };
    children.push(started);
    await until(() => lines.includes('ready'), `${name} to be ready`);
    return started;
  };
  const end = async (child: Child, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> => {
    const closed = once(child.process, 'close');
    child.process.kill(signal);
    await closed;
  };
  try {
    const counting: Child[] = [];
    for (let i = 0; i < counters; i += 1) counting.push(await start(`counter${i}`));
    for (let i = 0; i < kills; i += 1) {
      const victim = await start(`victim${i}`);
      await systemClock.sleep(50 * random());
      await end(victim, 'SIGKILL');
    }
    await Promise.all(counting.map((child) => end(child, 'SIGTERM')));
    const said = children.flatMap(({ lines }) => lines).filter((line) => line !== 'ready');
    const commits = said.flatMap((line) => /^committed (\d+)$/.exec(line)?.[1] ?? []);
    return {
      faults: [
        ...said.filter((line) => !line.startsWith('committed')),
        ...(commits.length === counters
          ? []
          : [`${commits.length} of ${counters} counters came to their end`]),
      ],
      commits: commits.reduce((sum, n) => sum + Number(n), 0),
    };
  } finally {
    for (const { process: child } of children) child.kill('SIGKILL');
  }
}
