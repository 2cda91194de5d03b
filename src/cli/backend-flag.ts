/** `--backend`: the tensor backend of the commands that train or attack. */
import type { Command } from 'commander';
import { TocsinError } from '../base/errors.ts';
import { BACKENDS, type BackendName } from '../models/engine/backends.ts';
import type { Tf } from '../models/engine/tf.ts';

const ASKED: readonly string[] = ['auto', ...BACKENDS];

export function withBackendFlag(command: Command): Command {
  return command.option('--backend <name>', `tensor backend: ${ASKED.join(', ')}`, 'auto');
}

/** Opens the engine that `--backend` names and says on stderr which one it is and why. Throws BAD_USAGE. */
export async function openAskedEngine(flags: Readonly<Record<string, unknown>>): Promise<Tf> {
  const backend = String(flags['backend']);
  if (!ASKED.includes(backend))
    throw new TocsinError('BAD_USAGE', `--backend ${backend}: one of ${ASKED.join(', ')} is needed.`);
  // Loaded here, not above: the tensor engine is large, and `tocsin --help` loads every command.
  const { openEngine } = await import('../models/engine/engine.ts');
  return openEngine({
    backend: backend as BackendName | 'auto',
    report: (name, reason) => process.stderr.write(`backend ${name}: ${reason}\n`),
  });
}
