/** Keeps a child process at hand: starts it when first asked, starts it again when it dies, replaces it when it is old. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { TocsinError } from '../base/errors.ts';
import type { RunnableModule } from '../base/module-url.ts';
import type { ChildAnswer, ChildMessage, ChildRequest, Numbered } from './child-protocol.ts';

/** Why a child is no more. `recycled` is on purpose and harms nobody. */
export const DEATH_REASONS = ['crash', 'timeout', 'recycled'] as const;
export type DeathReason = (typeof DEATH_REASONS)[number];

/** The child died with this request in hand; whether the request is to blame is open. */
export class ChildDied extends Error {
  readonly reason: Exclude<DeathReason, 'recycled'>;

  constructor(reason: Exclude<DeathReason, 'recycled'>) {
    super(`the child process died: ${reason}`);
    this.name = 'ChildDied';
    this.reason = reason;
  }
}

export interface ChildOptions {
  readonly module: RunnableModule;
  readonly args: readonly string[];
  /** Answers after which the child is replaced … */
  readonly recycleAfter: number;
  /** … or once it holds more memory than this. */
  readonly maxRssBytes: number;
  /** How long a start may take. */
  readonly startMs: number;
  /** @param lastWords the end of what the child wrote to stderr. */
  readonly onDeath: (reason: DeathReason, lastWords: string) => void;
}

export interface SupervisedChild {
  /**
   * Asks the child. Throws ChildDied when it dies over it, which it does at the latest after `deadlineMs`;
   * throws DEPENDENCY_MISSING when no child can be started at all.
   */
  call(request: ChildRequest, deadlineMs: number): Promise<ChildAnswer>;
  /** Process id of the child in use; null when there is none. */
  pid(): number | null;
  /** Kills what runs; calls under way throw ChildDied. */
  close(): Promise<void>;
}

interface Pending {
  readonly resolve: (answer: ChildAnswer) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

interface Child {
  readonly process: ChildProcess;
  readonly ready: Promise<void>;
  readonly exited: Promise<void>;
  readonly pending: Map<number, Pending>;
  served: number;
  retiring: boolean;
  dead: boolean;
  reason: DeathReason;
}

interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

/** Promise.withResolvers, which Node 20 lacks. */
function deferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

/** Nothing of the parent's environment: no keys, no brokers, no proxies. Room for look-ups beside decoding; few arenas, small RSS. */
const ENVIRONMENT = { UV_THREADPOOL_SIZE: '16', MALLOC_ARENA_MAX: '4' };

export function superviseChild(options: ChildOptions): SupervisedChild {
  const children = new Set<Child>();
  let current: Child | null = null;
  let closed = false;
  let lastId = 0;

  function start(): Child {
    const forked = fork(fileURLToPath(options.module.url), [...options.args], {
      execArgv: [...options.module.execArgv, '--max-old-space-size=256'],
      env: ENVIRONMENT,
      serialization: 'advanced',
      // Ctrl-C at a terminal is the parent's business; the child ends when the parent hangs up.
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    const started = deferred<void>();
    const ended = deferred<void>();
    const child: Child = {
      process: forked,
      ready: started.promise,
      exited: ended.promise,
      pending: new Map(),
      served: 0,
      retiring: false,
      dead: false,
      reason: 'crash',
    };
    let isReady = false;
    let lastWords = '';
    forked.stderr?.setEncoding('utf8').on('data', (words: string) => {
      lastWords = (lastWords + words).slice(-2_000);
    });
    const startTimer = setTimeout(() => forked.kill('SIGKILL'), options.startMs);
    const end = (): void => {
      if (child.dead) return;
      child.dead = true;
      clearTimeout(startTimer);
      children.delete(child);
      if (current === child) current = null;
      for (const { reject, timer } of child.pending.values()) {
        clearTimeout(timer);
        reject(new ChildDied(child.reason === 'timeout' ? 'timeout' : 'crash'));
      }
      child.pending.clear();
      if (!isReady)
        started.reject(new TocsinError('DEPENDENCY_MISSING', 'the decoding process cannot be started'));
      if (!closed) options.onDeath(child.reason, lastWords.trim());
      ended.resolve();
    };
    started.promise.catch(() => {});
    forked.on('error', end);
    forked.on('exit', end);
    forked.on('message', (message: ChildMessage) => {
      if ('ready' in message) {
        isReady = true;
        clearTimeout(startTimer);
        started.resolve();
        return;
      }
      const pending = child.pending.get(message.id);
      if (!pending) return;
      child.pending.delete(message.id);
      clearTimeout(pending.timer);
      child.served += 1;
      pending.resolve(message.answer);
      if (child.served >= options.recycleAfter || message.rssBytes > options.maxRssBytes) retire(child);
    });
    children.add(child);
    return child;
  }

  /** Takes no more; ends when its last answer is out. */
  function retire(child: Child): void {
    child.retiring = true;
    if (current === child) current = null;
    if (child.pending.size > 0 || child.dead) return;
    child.reason = 'recycled';
    child.process.kill('SIGKILL');
  }

  return {
    async call(request, deadlineMs) {
      for (;;) {
        if (closed) throw new TocsinError('INTERNAL', 'the decoder is closed');
        current ??= start();
        const child = current;
        await child.ready;
        if (child.dead || child.retiring || !child.process.connected) {
          // Died between two requests: nobody's fault, the next one is asked.
          if (!child.dead && !child.retiring) await child.exited;
          continue;
        }
        lastId += 1;
        const id = lastId;
        const { promise, resolve, reject } = deferred<ChildAnswer>();
        const timer = setTimeout(() => {
          child.reason = 'timeout';
          child.process.kill('SIGKILL');
        }, deadlineMs);
        child.pending.set(id, { resolve, reject, timer });
        // A send that fails shows as the exit of the child.
        child.process.send({ id, request } satisfies Numbered, () => {});
        return promise;
      }
    },
    pid: () => current?.process.pid ?? null,
    async close() {
      closed = true;
      const all = [...children];
      for (const child of all) child.process.kill('SIGKILL');
      await Promise.all(all.map((child) => child.exited));
    },
  };
}
