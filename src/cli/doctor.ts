/** `tocsin doctor`: is this machine ready, and what is missing? */
import type { Command } from 'commander';
import { TocsinError } from '../base/errors.ts';
import { examine, type Finding, type State } from './examine.ts';
import { EXIT, reportFailure, settingsFrom, withBusFlags } from './runtime.ts';

type Flags = Readonly<Record<string, unknown>>;

const SIGNS: Readonly<Record<State, string>> = { ok: '✓', note: '·', problem: '✗', unreachable: '✗' };

/** The worst finding decides: 4 when a broker is away, 3 when something does not work (with --strict also for notes). */
function exitCode(findings: readonly Finding[], strict: boolean): number {
  const has = (state: State): boolean => findings.some((entry) => entry.state === state);
  if (has('unreachable')) return EXIT.unreachable;
  return has('problem') || (strict && has('note')) ? EXIT.problems : EXIT.ok;
}

export function register(program: Command): void {
  withBusFlags(
    program
      .command('doctor')
      .description(
        'looks at this machine: backends, model, tools, folders, ports, brokers (exit code 3: problems)',
      ),
  )
    .option('--strict', 'what is only missing for comfort is a problem as well')
    .option('--output <format>', 'table or json', 'table')
    .action(async (flags: Flags) => {
      try {
        const { strict, output, ...rest } = flags;
        if (output !== 'table' && output !== 'json')
          throw new TocsinError('BAD_USAGE', `--output ${String(output)}: table or json is needed.`);
        const findings = await examine(settingsFrom(rest));
        const code = exitCode(findings, strict === true);
        const lines = findings.flatMap(({ name, state, what, fix }) => [
          `${SIGNS[state]} ${name.padEnd(14)} ${what}`,
          ...(fix ? [`${' '.repeat(17)}→ ${fix}`] : []),
        ]);
        const text =
          output === 'json' ? JSON.stringify({ ok: code === EXIT.ok, findings }) : lines.join('\n');
        process.stdout.write(`${text}\n`);
        process.exitCode = code;
      } catch (thrown) {
        reportFailure('doctor', thrown);
      }
    });
}
