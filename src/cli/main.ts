/** `tocsin <command>`: each command is one file that registers itself here. */
import { Command } from 'commander';
import { EXIT } from './runtime.ts';

type Register = (program: Command) => void;

/** One line per command; the file is loaded only when its command is asked for (or for `--help`). */
const COMMANDS: Readonly<Record<string, () => Promise<{ readonly register: Register }>>> = {
  attack: () => import('./attack.ts'),
  audit: () => import('./audit.ts'),
  bench: () => import('./bench.ts'),
  claims: () => import('./claims.ts'),
  dlq: () => import('./dlq.ts'),
  doctor: () => import('./doctor.ts'),
  encoders: () => import('./encoders.ts'),
  evaluate: () => import('./evaluate.ts'),
  gate: () => import('./gate.ts'),
  judge: () => import('./judge.ts'),
  kafka: () => import('./kafka.ts'),
  label: () => import('./label.ts'),
  ledger: () => import('./ledger.ts'),
  media: () => import('./media.ts'),
  models: () => import('./models.ts'),
  replay: () => import('./replay.ts'),
  reproduce: () => import('./reproduce.ts'),
  scorer: () => import('./scorer.ts'),
  serve: () => import('./serve.ts'),
  sidecar: () => import('./sidecar.ts'),
  tail: () => import('./tail.ts'),
  topics: () => import('./topics.ts'),
  train: () => import('./train.ts'),
  up: () => import('./up.ts'),
};

async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('tocsin')
    .description(
      'Reads posts and pictures of a disaster, says which inform and which look like rumours, and why.',
    )
    .showHelpAfterError('Try: tocsin --help')
    .exitOverride();
  const asked = argv[2];
  const load = asked && COMMANDS[asked] ? [COMMANDS[asked]] : Object.values(COMMANDS);
  for (const command of load) (await command()).register(program);
  try {
    await program.parseAsync([...argv]);
  } catch (thrown) {
    const { exitCode = EXIT.failure, code } = thrown as {
      readonly exitCode?: number;
      readonly code?: string;
    };
    if (!code?.startsWith('commander.')) throw thrown;
    process.exitCode = exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
}

await main(process.argv);
