/** `tocsin judge`: would the gate let this candidate serve? Asks everything that the gate asks; signs and announces nothing. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { systemClock } from '../base/clock.ts';
import { TocsinError } from '../base/errors.ts';
import { cacheDir } from '../config/cache.ts';
import type { Purpose, Verdict } from '../judge/verdict.ts';
import { createLog } from '../metrics/log.ts';
import { ARTEFACT_FILES, type Artefact, loadArtefact } from '../models/artefact.ts';
import { championDir } from '../registry/champions.ts';
import { openAskedEngine, withBackendFlag } from './backend-flag.ts';
import { EXIT, reportFailure } from './runtime.ts';

type Flags = Readonly<Record<string, unknown>>;

const PURPOSES: readonly Purpose[] = ['robustness', 'drift'];

/** For drift where the sidecar says so in the candidate's evaluation (`reason`), else for robustness, which asks more. */
function purposeOf(candidate: Artefact): Purpose {
  if (!candidate.manifest.files[ARTEFACT_FILES.evaluation]) return 'robustness';
  const { reason } = JSON.parse(Buffer.from(candidate.bytes(ARTEFACT_FILES.evaluation)).toString('utf8')) as {
    readonly reason?: unknown;
  };
  return reason === 'drift' ? 'drift' : 'robustness';
}

async function judge(folder: string, flags: Flags): Promise<Verdict> {
  // Loaded here, not above: `tocsin --help` loads every command.
  const { judgeCandidate } = await import('../judge/judge.ts');
  const { loadMustPass } = await import('../judge/must-pass.ts');
  const { JUDGE_DEFAULTS } = await import('../judge/options.ts');
  const { readVault } = await import('../judge/vault.ts');
  const { openCatalogued } = await import('../models/encoders/catalogued.ts');
  const asked = flags['purpose'];
  const named = PURPOSES.find((known) => known === asked);
  const seed = Number(flags['seed']);
  if (asked !== undefined && !named)
    throw new TocsinError(
      'BAD_USAGE',
      `--purpose ${String(asked)}: one of ${PURPOSES.join(', ')} is needed.`,
    );
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new TocsinError('BAD_USAGE', `--seed ${String(flags['seed'])}: a whole number is needed.`);
  const candidate = await loadArtefact(resolve(folder));
  const { task, modalities } = candidate.manifest;
  const at = async (flag: string): Promise<Artefact | null> =>
    flags[flag] === undefined ? null : loadArtefact(resolve(String(flags[flag])));
  const log = createLog('judge', 'warn');
  return judgeCandidate(
    {
      candidate,
      champion: (await at('champion')) ?? (await loadArtefact(championDir(task))),
      reference: await at('reference'),
      vault: await readVault(resolve(String(flags['data'])), {
        task,
        now: systemClock.now(),
        // To a model that reads no pictures the pairs of one post are the same post several times.
        unit: modalities.image === 'trained' ? 'pair' : 'text',
      }),
      mustPass: await loadMustPass(task),
      options: { ...JUDGE_DEFAULTS, purpose: named ?? purposeOf(candidate) },
    },
    {
      tf: await openAskedEngine(flags),
      clock: systemClock,
      seed,
      log,
      openEncoder: openCatalogued({ cacheDir: cacheDir(), threads: 1, log }),
    },
  );
}

function table(verdict: Verdict): string {
  const { candidate, champion, purpose, vault, checks, passed } = verdict;
  return [
    `${candidate.name} ${candidate.version} for ${purpose} against ${champion.version} on ${vault.posts} posts of ${vault.name}`,
    ...checks.map(
      ({ name, slice, passed: ok, why }) =>
        `${ok ? 'pass' : 'FAIL'}  ${name.padEnd(24)}${slice ? `${slice}: ` : ''}${why}`,
    ),
    passed
      ? 'passed'
      : `refused: ${checks.filter((check) => !check.passed).length} of ${checks.length} checks failed`,
  ].join('\n');
}

export function register(program: Command): void {
  withBackendFlag(program.command('judge'))
    .description('asks of a candidate what the gate asks; exit code 3 when it is refused')
    .argument('<candidate>', 'folder of the model')
    .requiredOption(
      '--data <path>',
      'labelled posts that judge, one collection or a folder of several; those of the models’ own training are left out',
    )
    .option('--champion <dir>', 'the model in office (default: the shipped one of the task)')
    .option('--reference <dir>', 'the champion of five promotions ago')
    .option('--purpose <name>', 'what the candidate is for: robustness or drift (default: as its round says)')
    .option('--seed <n>', 'of draws and attacks', '1')
    .option('--output <format>', 'table or json', 'table')
    .action(async (folder: string, flags: Flags) => {
      try {
        const verdict = await judge(folder, flags);
        process.stdout.write(`${flags['output'] === 'json' ? JSON.stringify(verdict) : table(verdict)}\n`);
        process.exitCode = verdict.passed ? EXIT.ok : EXIT.problems;
      } catch (thrown) {
        reportFailure('judge', thrown);
      }
    });
}
