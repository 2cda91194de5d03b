/** `tocsin attack`: what is left of a model's answers when posts are changed on purpose? */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { assessModel, attackFlags, sayFlags, withAttackFlags, writeAttackReport } from './assessment.ts';
import { attackTable } from './attack-table.ts';
import { withBackendFlag } from './backend-flag.ts';
import { type Flags, loadModel, oneOf, readChoice, withChoiceFlags } from './choice-flags.ts';
import { reportFailure } from './runtime.ts';

export function register(program: Command): void {
  withAttackFlags(withChoiceFlags(withBackendFlag(program.command('attack'))))
    .description('attacks a model by its network and says what is left of its answers')
    .option('--output <format>', 'table or json', 'table')
    .option(
      '--report <dir>',
      'also write attack.html (figures, posts before and after) and attack.json there',
    )
    .addHelpText(
      'after',
      '\nExit code 3: a sanity check failed, so the figures are OVERESTIMATED (docs/robustness.md).',
    )
    .action(async (model: string, flags: Flags) => {
      try {
        const output = oneOf('output', flags['output'], ['table', 'json'] as const);
        await attackFlags(flags);
        const artefact = await loadModel(model);
        const { data, choice } = await readChoice(artefact, flags);
        const assessment = await assessModel(artefact, data, choice, flags);
        const { robustness } = assessment;
        if (flags['report'] !== undefined)
          await writeAttackReport(resolve(String(flags['report'])), assessment);
        process.stdout.write(`${output === 'json' ? JSON.stringify(robustness) : attackTable(robustness)}\n`);
        process.exitCode = sayFlags(robustness);
      } catch (thrown) {
        reportFailure('attack', thrown);
      }
    });
}
