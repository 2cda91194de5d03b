/** `tocsin dlq`: inputs that could not be worked on, by reason, and one of them in full. */
import { type Command, Option } from 'commander';
import { expectKind } from '../bus/codec.ts';
import { TOPICS } from '../bus/topics.ts';
import type { DeadLetter } from '../event/records.ts';
import { EXIT, type Runtime, run, withBusFlags } from './runtime.ts';

interface ListFlags {
  readonly reason?: string;
  readonly output: 'text' | 'json';
}

interface Group {
  readonly service: string;
  readonly reason: string;
  count: number;
  /** The first one's place and detail. */
  readonly sample: string;
  readonly detail: string;
}

/** A name for a dead letter that `show` takes: where its input lies. */
const placeOf = ({ topic, partition, offset }: DeadLetter): string => `${topic}/${partition}/${offset}`;

/** Adds the command and its two verbs. */
export function register(program: Command): void {
  const dlq = program
    .command('dlq')
    .description('dead letters: inputs that could not be worked on, with the reason');
  withBusFlags(dlq.command('list'))
    .description('dead letters by reason. Example: tocsin dlq list --reason bad_avro')
    .option('--reason <reason>', 'only this reason')
    .addOption(new Option('--output <format>', 'how to print').choices(['text', 'json']).default('text'))
    .action(({ reason, output, ...flags }: ListFlags) =>
      run('dlq', flags, async (runtime) => {
        const groups = new Map<string, Group>();
        for await (const dead of deadLetters(runtime)) {
          if (reason !== undefined && dead.reason !== reason) continue;
          const name = `${dead.service} ${dead.reason}`;
          const group = groups.get(name);
          if (group) group.count += 1;
          else
            groups.set(name, {
              service: dead.service,
              reason: dead.reason,
              count: 1,
              sample: placeOf(dead),
              detail: dead.detail,
            });
        }
        const sorted = [...groups.values()].sort((a, b) => b.count - a.count);
        process.stdout.write(
          output === 'json'
            ? `${JSON.stringify(sorted)}\n`
            : sorted.length === 0
              ? 'no dead letters\n'
              : sorted
                  .map(
                    (g) =>
                      `${String(g.count).padStart(7)}  ${g.service} ${g.reason}  e.g. ${g.sample}: ${g.detail}\n`,
                  )
                  .join(''),
        );
        return EXIT.ok;
      }),
    );
  withBusFlags(dlq.command('show'))
    .description('one dead letter in full. Example: tocsin dlq show crisis.events.v1/3/1207')
    .argument('<place>', 'topic/partition/offset of its input, as `dlq list` prints it')
    .action((place: string, flags: Readonly<Record<string, unknown>>) =>
      run('dlq', flags, async (runtime) => {
        for await (const dead of deadLetters(runtime)) {
          if (placeOf(dead) !== place) continue;
          const { bytes, ...rest } = dead;
          const value = Buffer.from(bytes).toString('base64');
          process.stdout.write(`${JSON.stringify({ ...rest, bytes: value }, null, 2)}\n`);
          return EXIT.ok;
        }
        process.stderr.write(`tocsin dlq: no dead letter of ${place}\n`);
        return EXIT.failure;
      }),
    );
}

async function* deadLetters({ bus, codec, signal }: Runtime): AsyncGenerator<DeadLetter> {
  for await (const batch of bus.read(TOPICS.dlq, { from: 'earliest', stopAtEnd: true, signal }))
    for (const { value } of batch) if (value !== null) yield expectKind(codec.decode(value), 'DeadLetter');
}
