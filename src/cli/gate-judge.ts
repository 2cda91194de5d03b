/** The gate's judge: `tocsin judge` in a process of its own, so that neither its minutes nor its death hold up the gate. */
import { fork } from 'node:child_process';
import { setPriority } from 'node:os';
import { TocsinError } from '../base/errors.ts';
import { runnableModule } from '../base/module-url.ts';
import type { Judge, Judgement } from '../registry/gate/judging.ts';
import { EXIT } from './runtime.ts';

/** Labels come first. */
const NICE = 10;
const LIMIT_MS = 60 * 60_000;

/** @param vault folder of labelled posts */
export const judgeInProcess =
  (vault: string): Judge =>
  async ({ candidate, champion, reference, signal }) => {
    const main = runnableModule(import.meta.url, './main');
    const args = ['judge', candidate, '--champion', champion, '--data', vault, '--output', 'json'];
    if (reference) args.push('--reference', reference);
    const child = fork(main.url, args, {
      execArgv: main.execArgv,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      signal: AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]),
      killSignal: 'SIGKILL',
    });
    if (child.pid) setPriority(child.pid, NICE);
    let [out, err] = ['', ''];
    child.stdout?.on('data', (chunk: Buffer) => {
      out += chunk.toString();
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      err = (err + chunk.toString()).slice(-2_000);
    });
    const ended = await new Promise<number | string>((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('close', (code, killer) => resolve(code ?? killer ?? 'an unknown end'));
    });
    if (ended === EXIT.ok || ended === EXIT.problems) return parse(out);
    throw new TocsinError(
      ended === EXIT.usage || ended === EXIT.unreachable ? 'DEPENDENCY_MISSING' : 'MODEL_INVALID',
      `Judging ${candidate}: the judge ended with ${ended}. ${err.trim()}`,
    );
  };

function parse(text: string): Judgement {
  try {
    return JSON.parse(text) as Judgement;
  } catch (cause) {
    throw new TocsinError('INTERNAL', 'Judging: the judge wrote no verdict.', { cause });
  }
}
