/** `tocsin tail TOPIC`: records of a topic, decoded, a line each. */
import type { Command } from 'commander';
import { TocsinError } from '../base/errors.ts';
import { type Codec, claimedFingerprint } from '../bus/codec.ts';
import type { ReadFrom, ReceivedRecord } from '../bus/port.ts';
import { TOPICS } from '../bus/topics.ts';
import { run, withBusFlags } from './runtime.ts';

interface Flags {
  readonly json?: boolean;
  readonly end?: boolean;
  readonly offset?: string;
  readonly count?: string;
}

const SECONDS_AT = /^s@(\d+)$/;

/** Adds the command. */
export function register(program: Command): void {
  withBusFlags(program.command('tail'))
    .description('print the records of a topic. Example: tocsin tail crisis.labels.v1 -o -10')
    .argument('<topic>', Object.values(TOPICS).join(', '))
    .option('-J, --json', 'one JSON object a line')
    .option('-e, --end', 'stop at the end of the topic instead of following it')
    .option(
      '-o, --offset <where>',
      'beginning, end, -N (the last N of each partition) or s@MS (from that time on)',
    )
    .option('-c, --count <n>', 'stop after so many records')
    .action((topic: string, { json, end, offset, count, ...flags }: Flags) =>
      run('tail', flags, async ({ bus, codec, signal }) => {
        if (!(await bus.admin.topics()).some(({ name }) => name === topic))
          throw new TocsinError('UNKNOWN_TOPIC', `there is no topic ${topic}`);
        // A reader that has seen enough (`| head`) ends this quietly.
        const reader = new AbortController();
        process.stdout.on('error', () => reader.abort());
        let left = count === undefined ? Number.POSITIVE_INFINITY : wholeNumber('--count', count);
        const from = readFrom(offset);
        const until = AbortSignal.any([signal, reader.signal]);
        for await (const batch of bus.read(topic, { from, stopAtEnd: end === true, signal: until })) {
          const lines = batch
            .slice(0, left)
            .map((record) => (json ? JSON.stringify(described(codec, record)) : textLine(codec, record)));
          left -= lines.length;
          if (lines.length > 0) await write(`${lines.join('\n')}\n`);
          if (left <= 0 || reader.signal.aborted) break;
        }
        return undefined;
      }),
    );
}

function wholeNumber(flag: string, given: string): number {
  if (!/^\d+$/.test(given)) throw new TocsinError('BAD_USAGE', `${flag} takes a number, not ${given}`);
  return Number(given);
}

function readFrom(offset: string | undefined): ReadFrom {
  if (offset === undefined || offset === 'beginning') return 'earliest';
  if (offset === 'end') return 'latest';
  if (/^-\d+$/.test(offset)) return { lastRecords: Number(offset.slice(1)) };
  const since = SECONDS_AT.exec(offset)?.[1];
  if (since !== undefined) return { timestamp: Number(since) };
  throw new TocsinError('BAD_USAGE', `--offset ${offset}: beginning, end, -N or s@MS`);
}

/** A record with its value decoded; what cannot be decoded comes as base64 with the reason. */
function described(codec: Codec, record: ReceivedRecord): object {
  const place = {
    topic: record.topic,
    partition: record.partition,
    offset: Number(record.offset),
    key: record.key,
    timestamp: record.timestamp,
    headers: record.headers,
  };
  if (record.value === null) return { ...place, kind: null, record: null };
  try {
    const { kind, ...fields } = codec.decode(record.value);
    return { ...place, kind, record: jsonReady(fields) };
  } catch (thrown) {
    if (!(thrown instanceof TocsinError)) throw thrown;
    return {
      ...place,
      kind: null,
      record: null,
      problem: thrown.message,
      fingerprint: claimedFingerprint(record.value),
      value: Buffer.from(record.value).toString('base64'),
    };
  }
}

/** Bytes as base64, wherever they stand. */
function jsonReady(value: unknown): unknown {
  if (value instanceof Uint8Array)
    return Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64');
  if (Array.isArray(value)) return value.map(jsonReady);
  if (value !== null && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, jsonReady(inner)]));
  return value;
}

const MAX_LINE = 400;

function textLine(codec: Codec, record: ReceivedRecord): string {
  const {
    partition,
    offset,
    key,
    kind,
    record: fields,
  } = described(codec, record) as {
    readonly partition: number;
    readonly offset: number;
    readonly key: string | null;
    readonly kind: string | null;
    readonly record: unknown;
  };
  const rest = JSON.stringify(fields) ?? '';
  return `${partition}/${offset} ${key ?? '-'} ${kind ?? '?'} ${rest.length > MAX_LINE ? `${rest.slice(0, MAX_LINE)}…` : rest}`;
}

/** Resolves when the text is on its way, or nobody reads it any more. */
function write(text: string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(text, () => resolve()));
}
