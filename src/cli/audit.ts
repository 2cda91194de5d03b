/** `tocsin audit`: counts inputs and outputs independently and compares them with the ledger. */
import { type Command, Option } from 'commander';
import { audit, type Check } from '../pipeline/audit.ts';
import { EXIT, run, withBusFlags } from './runtime.ts';

interface Flags {
  readonly output: 'text' | 'json';
}

/** Adds the command. */
export function register(program: Command): void {
  withBusFlags(program.command('audit'))
    .description(
      'count posts, labels and dead letters anew; exit 3 where the ledger differs. Example: tocsin audit',
    )
    .addOption(new Option('--output <format>', 'how to print').choices(['text', 'json']).default('text'))
    .action(({ output, ...flags }: Flags) =>
      run('audit', flags, async ({ bus, codec, signal }) => {
        const report = await audit(bus, codec, signal);
        process.stdout.write(
          output === 'json'
            ? `${JSON.stringify(report)}\n`
            : `${report.checks.map(line).join('\n')}\nlabels written twice: ${report.repeatedLabels}\n`,
        );
        return report.agrees ? EXIT.ok : EXIT.problems;
      }),
    );
}

function line({ name, ledger: [from, to], counted, agrees }: Check): string {
  const verdict = agrees === null ? '?' : agrees ? 'ok' : 'DIFFERS';
  const why = agrees === null ? ' (the topic no longer keeps everything)' : '';
  return `${verdict.padEnd(8)}${name}: ledger ${from === to ? from : `${from} to ${to}`}, counted ${counted}${why}`;
}
