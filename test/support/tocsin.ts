/** Runs the built command line the way a user does, and waits for conditions rather than for time. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT: string = fileURLToPath(new URL('../..', import.meta.url));
const BIN = join(ROOT, 'bin', 'tocsin.mjs');
/** What the first line of the program asks Node for. */
const BIN_FLAGS: readonly string[] =
  /^#!.* node (.+)$/m.exec(readFileSync(BIN, 'utf8').split('\n')[0] as string)?.[1]?.split(' ') ?? [];

export interface Running {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Exit code, or the signal's name. */
  readonly exited: Promise<number | NodeJS.Signals>;
  kill(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals>;
}

/** An environment without the variables that would change what a command does. */
function cleanEnv(extra: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('TOCSIN_') && name !== 'KAFKA_BROKERS' && !name.startsWith('VITEST'),
  );
  return { ...Object.fromEntries(kept), ...extra };
}

/** Starts `tocsin <args>`. */
export function startTocsin(args: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
  const child = spawn(process.execPath, [...BIN_FLAGS, BIN, ...args], {
    cwd: ROOT,
    env: cleanEnv(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  // Decoded as a stream: a letter of several bytes may lie in two chunks.
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    out += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    err = (err + chunk).slice(-200_000);
  });
  const exited = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
  return {
    child,
    stdout: () => out,
    stderr: () => err,
    exited,
    async kill(signal = 'SIGTERM') {
      child.kill(signal);
      return exited;
    },
  };
}

/** Runs `tocsin <args>` to its end. */
export async function tocsin(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number | NodeJS.Signals; readonly stdout: string; readonly stderr: string }> {
  const running = startTocsin(args, env);
  const code = await running.exited;
  return { code, stdout: running.stdout(), stderr: running.stderr() };
}

/** Like `tocsin`, but a failure is an error that shows what the command said. */
export async function tocsinOk(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { code, stdout, stderr } = await tocsin(args, env);
  if (code !== 0) throw new Error(`tocsin ${args.join(' ')} ended with ${code}:\n${stderr || stdout}`);
  return stdout;
}

/** The first value that is neither null nor false nor undefined, asked for again and again until the deadline. */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  { timeoutMs = 60_000, everyMs = 100 }: { readonly timeoutMs?: number; readonly everyMs?: number } = {},
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await probe();
      if (value !== null && value !== undefined && value !== false) return value;
      last = value;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline)
      throw new Error(`${what} did not happen in ${timeoutMs} ms; last: ${String(last)}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

/** A folder that goes away with the test. */
export function temporaryFolder(prefix = 'tocsin-'): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), prefix));
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }) };
}

/** Decoded records of a topic, from its beginning to its end. */
export async function tail(topic: string, flags: readonly string[]): Promise<TailedRecord[]> {
  const out = await tocsinOk(['tail', topic, '-J', '-e', ...flags]);
  return out
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as TailedRecord);
}

export interface TailedRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number | string;
  readonly key: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly kind: string;
  readonly record: Readonly<Record<string, unknown>>;
}

/** The ledger as `tocsin ledger --output json` prints it. */
export interface Ledger {
  readonly received: number;
  readonly labelled: number;
  readonly filtered: number;
  readonly duplicate: number;
  readonly dead: number;
  readonly inFlight: number;
  readonly pictures: {
    readonly requested: number;
    readonly ready: number;
    readonly refused: number;
    readonly pending: number;
  };
}

export async function ledger(flags: readonly string[]): Promise<Ledger> {
  return JSON.parse(await tocsinOk(['ledger', '--output', 'json', ...flags])) as Ledger;
}
