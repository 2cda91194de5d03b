/** `tocsin models promote|rollback|pin|unpin`: asks the gate, and waits for what it answers. */
import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { TocsinError } from '../base/errors.ts';
import { message, NO_LINEAGE } from '../bus/messages.ts';
import { TOPICS } from '../bus/topics.ts';
import type { AuditEntry, ModelAction, ModelRequest } from '../event/records.ts';
import { requestOf } from '../registry/gate/cause.ts';
import { EXIT, type Runtime, run, withBusFlags } from './runtime.ts';

const ACTIONS: readonly { readonly action: ModelAction; readonly does: string }[] = [
  { action: 'promote', does: 'let a signed version serve at once (default: the challenger)' },
  {
    action: 'rollback',
    does: 'go back to the champion before, or to a version; takes back a challenger first',
  },
  { action: 'pin', does: 'keep a version (default: the champion): the gate then promotes nothing by itself' },
  { action: 'unpin', does: 'let the gate promote again' },
];

interface Flags {
  readonly reason: string;
  readonly by?: string;
  readonly approvedBy?: readonly string[];
  readonly wait: string;
  readonly output: string;
}

export function registerRequests(models: Command): void {
  for (const { action, does } of ACTIONS) {
    const command = withBusFlags(models.command(action))
      .description(`${does}. Example: tocsin models ${action} informative --reason "drill"`)
      .argument('<task>', 'informative, humanitarian or rumour');
    if (action !== 'unpin') command.argument('[version]', 'of a signed or shipped model');
    command
      .requiredOption('--reason <text>', 'why; it is kept')
      .option('--by <name>', 'who asks (default: the user of this process)')
      .option('--approved-by <names...>', 'who else agrees (two-person rule)')
      .option('--wait <seconds>', 'how long the gate may take to answer', '10')
      .option('--output <format>', 'text or json', 'text')
      .action((task: string, ...rest: readonly unknown[]) => {
        const version = action === 'unpin' ? null : ((rest[0] as string | undefined) ?? null);
        const given = rest[action === 'unpin' ? 0 : 1] as Flags & Readonly<Record<string, unknown>>;
        const { reason, by, approvedBy, wait, output, ...flags } = given;
        return run('models', flags, (runtime) => {
          const asked = { action, task, version, why: reason, approvals: [...(approvedBy ?? [])] };
          return ask(runtime, { ...asked, by: by ?? userInfo().username }, { wait, output });
        });
      });
  }
}

async function ask(
  runtime: Runtime,
  asked: Omit<ModelRequest, 'kind' | 'id' | 'at'>,
  { wait, output }: Pick<Flags, 'wait' | 'output'>,
): Promise<number> {
  const { bus, codec, clock } = runtime;
  const waitMs = Number(wait) * 1_000;
  if (!(waitMs > 0)) throw new TocsinError('BAD_USAGE', `--wait takes a number of seconds, not ${wait}`);
  const request: ModelRequest = { ...asked, kind: 'ModelRequest', id: randomUUID(), at: clock.now() };
  const options = {
    key: request.task,
    id: request.id,
    source: 'models',
    time: request.at,
    lineage: NO_LINEAGE,
  };
  const since = clock.monotonic();
  await bus.produce([message(codec, TOPICS.requests, request, options)]);
  const answer = await answerTo(request, runtime, waitMs);
  if (!answer)
    throw new TocsinError(
      'DEPENDENCY_MISSING',
      `The gate did not answer within ${wait} s (is tocsin gate running?). The request stands: it is answered when the gate comes.`,
    );
  const accepted = answer.what.startsWith('state ');
  const seconds = ((clock.monotonic() - since) / 1_000).toFixed(1);
  process.stdout.write(
    output === 'json'
      ? `${JSON.stringify({ accepted, request: request.id, what: answer.what, why: answer.why, before: answer.before, after: answer.after, seconds: Number(seconds) })}\n`
      : `${accepted ? 'done' : 'refused'}  ${answer.what}: ${answer.why} (${seconds} s)\n`,
  );
  return accepted ? EXIT.ok : EXIT.problems;
}

/** The audit entry that names the request; null when none comes in time. */
async function answerTo(
  request: ModelRequest,
  { bus, codec, clock, signal }: Runtime,
  waitMs: number,
): Promise<AuditEntry | null> {
  const done = new AbortController();
  void clock.sleep(waitMs, done.signal).then(() => done.abort());
  const until = AbortSignal.any([signal, done.signal]);
  try {
    for await (const batch of bus.read(TOPICS.audit, { from: 'earliest', signal: until }))
      for (const { value } of batch) {
        const entry = codec.decode(value ?? new Uint8Array());
        if (entry.kind === 'AuditEntry' && requestOf(entry.why) === request.id) return entry;
      }
    return null;
  } finally {
    done.abort();
  }
}
