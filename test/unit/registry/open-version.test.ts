/** A version is opened only when it is what the gate signed, byte for byte and file for file. */
import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sha256Of } from '../../../src/models/artefact.ts';
import { SIGNATURE_FILE } from '../../../src/registry/layout.ts';
import { openCandidate, openVersion, versionOf } from '../../../src/registry/open-version.ts';
import {
  type TestRegistry,
  temporaryRegistry,
  writePlainArtefact,
  writeSigned,
} from '../../support/registry.ts';
import { rewriteManifest } from '../../support/test-artefact.ts';

const open = (registry: TestRegistry, version: ReturnType<typeof versionOf>) =>
  openVersion(registry.paths.models, 'informative', version, registry.keys);

async function prepared() {
  const registry = temporaryRegistry();
  const artefact = await writeSigned(registry, 'v1');
  return { registry, artefact, version: versionOf(artefact), dir: artefact.dir };
}

describe('openVersion', () => {
  it('opens what was signed', async () => {
    const { registry, version } = await prepared();
    const opened = await open(registry, version);
    expect(Buffer.from(opened.bytes('text.onnx')).toString()).toBe('weights of v1');
  });

  const spoilt: Record<string, [string, (dir: string, registry: TestRegistry) => Promise<unknown>]> = {
    'one flipped bit in the weights': [
      'MODEL_INVALID',
      (dir) => writeFile(join(dir, 'network/weights.bin'), Uint8Array.of(1, 2, 2)),
    ],
    'a truncated file': [
      'MODEL_INVALID',
      (dir) => writeFile(join(dir, 'network/weights.bin'), Uint8Array.of(1, 2)),
    ],
    'two files swapped': [
      'MODEL_INVALID',
      async (dir) => {
        await rename(join(dir, 'text.onnx'), join(dir, 'x'));
        await rename(join(dir, 'network/weights.bin'), join(dir, 'text.onnx'));
        await rename(join(dir, 'x'), join(dir, 'network/weights.bin'));
      },
    ],
    'a missing file': ['MODEL_INVALID', (dir) => rm(join(dir, 'text.onnx'))],
    'a file that the manifest does not name': ['MODEL_INVALID', (dir) => writeFile(join(dir, 'more'), 'x')],
    'a file that is a link, even to equal bytes': [
      'MODEL_INVALID',
      async (dir, { dataDir }) => {
        await rename(join(dir, 'text.onnx'), join(dataDir, 'elsewhere'));
        await symlink(join(dataDir, 'elsewhere'), join(dir, 'text.onnx'));
      },
    ],
    'a folder inside that is a link': [
      'MODEL_INVALID',
      async (dir, { dataDir }) => {
        await rename(join(dir, 'network'), join(dataDir, 'network'));
        await symlink(join(dataDir, 'network'), join(dir, 'network'));
      },
    ],
    'a folder that is itself a link': [
      'MODEL_INVALID',
      async (dir, { dataDir }) => {
        await rename(dir, join(dataDir, 'v1'));
        await symlink(join(dataDir, 'v1'), dir);
      },
    ],
    'no signature': ['MODEL_FORGED', (dir) => rm(join(dir, SIGNATURE_FILE))],
    'a signature that is no JSON': ['MODEL_FORGED', (dir) => writeFile(join(dir, SIGNATURE_FILE), '{')],
    'the signature of a key that nobody vouched for': [
      'MODEL_FORGED',
      async (dir) => {
        const { digest } = JSON.parse(await readFile(join(dir, SIGNATURE_FILE), 'utf8'));
        await writeFile(join(dir, SIGNATURE_FILE), temporaryRegistry().signer.model(digest));
      },
    ],
    'a signature over another digest': [
      'MODEL_FORGED',
      async (dir, { signer }) => {
        const own = JSON.parse(await readFile(join(dir, SIGNATURE_FILE), 'utf8'));
        const { signature } = JSON.parse(signer.model('b'.repeat(64)));
        await writeFile(join(dir, SIGNATURE_FILE), JSON.stringify({ ...own, signature }));
      },
    ],
    'a good signature of another model': [
      'MODEL_INVALID',
      (dir, { signer }) => writeFile(join(dir, SIGNATURE_FILE), signer.model('b'.repeat(64))),
    ],
    'a manifest changed with its digest': [
      'MODEL_INVALID',
      (dir) => rewriteManifest(dir, (manifest) => ({ ...manifest, normaliser: 'other' })),
    ],
  };
  it.each(Object.entries(spoilt))('refuses %s', async (_, [code, spoil]) => {
    const { registry, version, dir } = await prepared();
    await spoil(dir, registry);
    await expect(open(registry, version)).rejects.toMatchObject({ code });
  });

  it.each(['../v1', '/etc', '..', '.', '', '.hidden', 'a/b', 'a\\b', 'v1\u0000'])(
    'refuses version %j, whatever lies there',
    async (name) => {
      const { registry, version } = await prepared();
      await expect(open(registry, { ...version, version: name })).rejects.toMatchObject({
        code: 'MODEL_INVALID',
        message: expect.stringContaining('is no name'),
      });
    },
  );

  it.each(['../../secret', '/etc/hostname', 'network/../../v2/text.onnx'])(
    'refuses a manifest, signed or not, that names the file %j',
    async (name) => {
      const { registry, dir } = await prepared();
      await writeFile(join(registry.dataDir, 'secret'), 'x');
      const { manifest } = JSON.parse(await readFile(join(dir, 'manifest.json'), 'utf8'));
      manifest.files[name] = { sha256: sha256Of('x'), bytes: 1 };
      const digest = sha256Of(JSON.stringify(manifest));
      await writeFile(join(dir, 'manifest.json'), `${JSON.stringify({ digest, manifest }, null, 2)}\n`);
      await writeFile(join(dir, SIGNATURE_FILE), registry.signer.model(digest));
      const version = { name: manifest.name, version: manifest.version, digest };
      await expect(open(registry, version)).rejects.toMatchObject({ code: 'MODEL_INVALID' });
    },
  );

  it('refuses a signed version that was put in the place of another', async () => {
    const { registry, version, dir } = await prepared();
    await writeSigned(registry, 'v2');
    await rm(dir, { recursive: true });
    await rename(join(dir, '..', 'v2'), dir);
    await expect(open(registry, version)).rejects.toMatchObject({ code: 'MODEL_INVALID' });
    const { digest } = JSON.parse(await readFile(join(dir, SIGNATURE_FILE), 'utf8'));
    await expect(open(registry, { ...version, digest })).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      message: expect.stringContaining('test-informative v2'),
    });
  });
});

describe('openCandidate', () => {
  it('opens a whole one and refuses one that is torn, misplaced or absent', async () => {
    const { candidates } = temporaryRegistry().paths;
    await mkdir(candidates, { recursive: true });
    const dir = join(candidates, 'informative', 'c1');
    await writePlainArtefact(dir, 'c1');
    expect((await openCandidate(candidates, 'informative', 'c1')).manifest.version).toBe('c1');
    const refused = { code: 'MODEL_INVALID' };
    await rename(dir, join(candidates, 'informative', 'c2'));
    await expect(openCandidate(candidates, 'informative', 'c2')).rejects.toMatchObject(refused);
    await expect(openCandidate(candidates, 'informative', 'c1')).rejects.toMatchObject(refused);
    await writePlainArtefact(dir, 'c1');
    await rm(join(dir, 'text.onnx'));
    await expect(openCandidate(candidates, 'informative', 'c1')).rejects.toMatchObject(refused);
  });
});
