/** `tocsin replay`: archives onto crisis.events.v1. */
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { archiveTime } from '../archive/fields.ts';
import { systemClock } from '../base/clock.ts';
import { hashAuthor, loadKeys } from '../config/keys.ts';
import { openMediaStore } from '../media/store.ts';
import type { Speed } from '../replay/pacing.ts';
import { createProgressReporter, eventStamp, shortDuration } from '../replay/progress.ts';
import type { Archive, ReaderDeps } from '../replay/readers/contract.ts';
import { openArchive } from '../replay/readers/open-archive.ts';
import { itemsBetween, type ReplayOptions, replay, replaySpan } from '../replay/replay.ts';
import { readResumePoint, writeResumePoint } from '../replay/resume.ts';
import type { Shift } from '../replay/shift.ts';
import { EXIT, reportFailure, run, withBusFlags } from './runtime.ts';

interface Flags {
  readonly speed: Speed;
  readonly maxRate?: number;
  readonly idleLimit?: number;
  readonly shift: Shift;
  readonly from?: number;
  readonly to?: number;
  readonly resume?: string;
  readonly dryRun?: boolean;
  readonly output: 'text' | 'json';
  readonly quiet?: boolean;
}

/** Registers the command. */
export function register(program: Command): void {
  withBusFlags(program.command('replay'))
    .argument('<path...>', 'archives: CrisisMMD, CrisisLex, MediaEval folders or files, JSON lines')
    .description(
      'Sends the posts of archives in their own time pattern. Example: tocsin replay sample --speed 20 --shift now',
    )
    .option('--speed <n|max>', 'times faster than the event, or max', speedOf, 1)
    .option('--max-rate <n>', 'at most so many posts a second', positive)
    .option('--idle-limit <seconds>', 'cut longer silences to this', positive)
    .option('--from <time>', 'first event time, ISO 8601', timeOf)
    .option('--to <time>', 'last event time, ISO 8601', timeOf)
    .addOption(
      new Option('--shift <how>', 'now: date each post to when it is sent; keep: as in the archive')
        .choices(['now', 'keep'])
        .default('keep'),
    )
    .option('--resume <file>', 'remember there how far it came, and go on from there')
    .option('--dry-run', 'count and check only')
    .addOption(
      new Option('--output <format>', 'form of the summary').choices(['text', 'json']).default('text'),
    )
    .option('--quiet', 'no progress')
    .action((paths: string[], flags: Flags) => (flags.dryRun ? dryRun(paths, flags) : send(paths, flags)));
}

async function dryRun(paths: readonly string[], flags: Flags): Promise<void> {
  try {
    const archives = await openAll(paths, { clock: systemClock, hashAuthor: () => '' });
    let posts = 0;
    for await (const _ of itemsBetween(archives, flags.from ?? null, flags.to ?? null)) posts += 1;
    print(flags, archives, { posts });
  } catch (thrown) {
    reportFailure('replay', thrown);
  }
}

async function send(paths: readonly string[], flags: Flags): Promise<void> {
  const { speed, maxRate, idleLimit, shift, from, to, resume, dryRun: _, output, quiet, ...bus } = flags;
  await run('replay', bus, async ({ settings, bus, clock, codec, signal }) => {
    const before = resume === undefined ? null : readResumePoint(resume);
    if (before?.done) {
      process.stderr.write(`Already replayed in full (${resume}).\n`);
      return EXIT.ok;
    }
    const keys = loadKeys(settings.dataDir);
    const archives = await openAll(paths, {
      clock,
      hashAuthor: (source, author) => hashAuthor(keys.author, source, author),
    });
    const options: ReplayOptions = {
      speed,
      maxRate: maxRate ?? null,
      idleLimitMs: idleLimit === undefined ? null : idleLimit * 1_000,
      shift,
      from: from ?? null,
      to: to ?? null,
      replayId: before?.replayId ?? `${archives[0]?.reader}-${new Date(clock.now()).toISOString()}`,
      alreadySent: before?.sent ?? 0,
    };
    const progress = createProgressReporter(
      { write: (text) => process.stderr.write(text), isTTY: process.stderr.isTTY === true },
      speed,
      options.alreadySent,
      clock,
    );
    const store = openMediaStore(settings.dataDir);
    let noted = options.alreadySent;
    const note = (sent: number, done: boolean): void => {
      if (resume === undefined || (sent === noted && !done)) return;
      writeResumePoint(resume, { replayId: options.replayId, sent, done });
      noted = sent;
    };
    const summary = await replay(archives, options, {
      bus,
      codec,
      clock,
      signal,
      putPicture: (bytes) => store.quarantine.put(bytes),
      onProgress: (now) => {
        note(now.sent, false);
        if (!quiet) progress.report(now);
      },
    });
    progress.end();
    if (summary.complete) note(summary.sent, true);
    print(flags, archives, { ...summary, replayId: options.replayId });
    return summary.complete ? EXIT.ok : EXIT.interrupted;
  });
}

async function openAll(paths: readonly string[], deps: ReaderDeps): Promise<Archive[]> {
  const archives: Archive[] = [];
  for (const path of paths) archives.push(await openArchive(resolve(path), deps));
  return archives;
}

function print(flags: Flags, archives: readonly Archive[], facts: Readonly<Record<string, unknown>>): void {
  const span = replaySpan(archives, { from: flags.from ?? null, to: flags.to ?? null });
  const iso = (time: number): string => new Date(time).toISOString();
  if (flags.output === 'json') {
    const summary = {
      ...facts,
      span: span && { from: iso(span.from), to: iso(span.to) },
      archives: archives.map(({ reader, path, posts, unreadable, pictureProblems }) => ({
        reader,
        path,
        posts,
        unreadable: Object.fromEntries(unreadable),
        pictureProblems: Object.fromEntries(pictureProblems),
      })),
    };
    process.stdout.write(`${JSON.stringify(summary)}\n`);
    return;
  }
  const counted = (counts: ReadonlyMap<string, number>): string =>
    [...counts].map(([reason, n]) => `${n.toLocaleString('en')} ${reason}`).join(', ');
  const lines = archives.flatMap(({ reader, path, posts, unreadable, pictureProblems }) => [
    `${path} (${reader}): ${posts.toLocaleString('en')} posts`,
    ...(unreadable.size > 0 ? [`  unreadable rows: ${counted(unreadable)}`] : []),
    ...(pictureProblems.size > 0 ? [`  pictures left out: ${counted(pictureProblems)}`] : []),
  ]);
  if (span)
    lines.push(
      `event time ${eventStamp(span.from)} to ${eventStamp(span.to)} UTC (${shortDuration(span.to - span.from)})`,
    );
  const { posts, sent, elapsedMs, complete } = facts as {
    readonly posts?: number;
    readonly sent?: number;
    readonly elapsedMs?: number;
    readonly complete?: boolean;
  };
  if (posts !== undefined) lines.push(`would send ${posts.toLocaleString('en')} posts`);
  if (sent !== undefined)
    lines.push(
      `sent ${sent.toLocaleString('en')} posts in ${shortDuration(elapsedMs ?? 0)}${complete ? '' : ' (interrupted)'}`,
    );
  process.stdout.write(`${lines.join('\n')}\n`);
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value)) throw new InvalidArgumentError('It must be a number above 0.');
  return value;
}

const speedOf = (text: string): Speed => (text === 'max' ? 'max' : positive(text.replace(/x$/i, '')));

function timeOf(text: string): number {
  const time = archiveTime(text, systemClock.now());
  if (time === null) throw new InvalidArgumentError('It must be a time like 2017-08-27T03:00:00Z.');
  return time;
}
