/** Keeps child processes running: starts them, waits until they are ready, starts them again when they die. */
import { type ChildProcess, fork } from 'node:child_process';
import { createWriteStream, mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { TocsinError } from '../base/errors.ts';
import { runnableModule } from '../base/module-url.ts';
import type { ReadyMessage } from './runtime.ts';

const FIRST_BACKOFF_MS = 250;
const LAST_BACKOFF_MS = 10_000;
/** A child that ran this long starts its back-off anew. */
const STEADY_MS = 60_000;
/** As in bin/tocsin.mjs: fewer collections for some memory. */
const SERVICE_FLAGS: readonly string[] = ['--max-semi-space-size=32'];
const MAX_LOG_BYTES = 10_000_000;

export interface Service {
  readonly name: string;
  readonly args: readonly string[];
  /** `service`: runs until told to stop, is started again after a death. `job`: runs once. */
  readonly kind: 'service' | 'job';
}

export interface Supervised {
  /** Where it answers. Rejects when it ends before it was ever ready. */
  readonly ready: Promise<string>;
  /** Asks it to finish (SIGTERM) and waits; after `graceMs` it is killed. */
  stop(graceMs: number): Promise<void>;
  /** Ends of the process so far; for tests and for the operator's eye. */
  restarts(): number;
}

function openLog(dir: string, name: string): ReturnType<typeof createWriteStream> {
  mkdirSync(dir, { recursive: true });
  const path = join(dir, `${name}.log`);
  try {
    if (statSync(path).size > MAX_LOG_BYTES) renameSync(path, `${path}.1`);
  } catch {
    // The first start has no log to turn over.
  }
  return createWriteStream(path, { flags: 'a' });
}

/** Starts a command of this program as a child. Its output goes to `logDir`/<name>.log. */
export function supervise(
  service: Service,
  deps: { readonly logDir: string; readonly clock: Clock },
): Supervised {
  const main = runnableModule(import.meta.url, './main');
  const log = openLog(deps.logDir, service.name);
  const stopping = new AbortController();
  let child: ChildProcess | null = null;
  let restarts = 0;
  let isReady = false;
  let lastLines = '';
  let resolveReady: (url: string) => void = () => {};
  let rejectReady: (error: Error) => void = () => {};
  const ready = new Promise<string>((resolve, reject) => {
    resolveReady = resolve;
    rejectReady = reject;
  });
  ready.catch(() => {});

  const once = (): Promise<number | null> =>
    new Promise((resolve) => {
      const running = fork(main.url, [...service.args], {
        execArgv: [...main.execArgv, ...SERVICE_FLAGS],
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      });
      child = running;
      running.stdout?.pipe(log, { end: false });
      running.stderr?.on('data', (chunk: Buffer) => {
        log.write(chunk);
        lastLines = (lastLines + chunk.toString()).slice(-2_000);
      });
      running.on('message', (message: ReadyMessage) => {
        isReady = true;
        resolveReady(message.url);
      });
      running.once('error', () => resolve(1));
      running.once('exit', (code) => resolve(code));
    });

  const loop = (async (): Promise<void> => {
    let backoffMs = FIRST_BACKOFF_MS;
    while (!stopping.signal.aborted) {
      const since = deps.clock.monotonic();
      const code = await once();
      if (stopping.signal.aborted || (service.kind === 'job' && code === 0)) break;
      if (!isReady && service.kind === 'service') {
        rejectReady(
          new TocsinError(
            'INTERNAL',
            `${service.name} ended with ${code} before it was ready:\n${lastLines.trim()}`,
          ),
        );
        break;
      }
      restarts += 1;
      if (deps.clock.monotonic() - since > STEADY_MS) backoffMs = FIRST_BACKOFF_MS;
      await deps.clock.sleep(backoffMs, stopping.signal);
      backoffMs = Math.min(backoffMs * 2, LAST_BACKOFF_MS);
    }
    log.end();
  })();

  return {
    ready,
    restarts: () => restarts,
    async stop(graceMs) {
      stopping.abort();
      child?.kill('SIGTERM');
      const late = new AbortController();
      await Promise.race([loop, deps.clock.sleep(graceMs, late.signal).then(() => child?.kill('SIGKILL'))]);
      late.abort();
      await loop;
    },
  };
}
