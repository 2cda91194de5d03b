/** `tocsin ledger`: what became of every post and picture, as the label worker committed it. */
import { type Command, Option } from 'commander';
import { readLedger, summariseLedger } from '../pipeline/ledger.ts';
import { EXIT, run, withBusFlags } from './runtime.ts';

interface Flags {
  readonly output: 'text' | 'json';
}

/** Adds the command. */
export function register(program: Command): void {
  withBusFlags(program.command('ledger'))
    .description('count what became of every post and picture. Example: tocsin ledger --output json')
    .addOption(new Option('--output <format>', 'how to print').choices(['text', 'json']).default('text'))
    .action(({ output, ...flags }: Flags) =>
      run('ledger', flags, async ({ bus }) => {
        const ledger = await readLedger(bus);
        const summary = await summariseLedger(bus, ledger);
        if (output === 'json') {
          const partitions = ledger.partitions.map(({ partition, upto, row }) => ({
            partition,
            upto: Number(upto),
            ...row,
          }));
          process.stdout.write(`${JSON.stringify({ ...summary, partitions })}\n`);
        } else {
          const { pictures, imbalance, ...posts } = summary;
          const { received, labelled, filtered, duplicate, dead, inFlight, late, orphan } = posts;
          process.stdout.write(
            `posts     received ${received} = labelled ${labelled} + filtered ${filtered} + duplicate ${duplicate} + dead ${dead}\n` +
              `pictures  requested ${pictures.requested} = ready ${pictures.ready} + refused ${pictures.refused} + pending ${pictures.pending}\n` +
              `beside    in flight ${inFlight}, late answers ${late}, orphans ${orphan}\n`,
          );
          if (imbalance !== 0)
            process.stdout.write(`the posts do not balance: ${imbalance} too many received\n`);
        }
        return summary.imbalance === 0 ? EXIT.ok : EXIT.problems;
      }),
    );
}
