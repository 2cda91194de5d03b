/** A registry in a temporary folder with a key of its own, and small artefacts to put into it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Codec, createCodec } from '../../src/bus/codec.ts';
import type { DesiredState, ModelVersion } from '../../src/event/records.ts';
import { type Artefact, loadArtefact } from '../../src/models/artefact.ts';
import type { Manifest } from '../../src/models/manifest.ts';
import { writeArtefact } from '../../src/registry/artefact.ts';
import { CHAMPION_DIR } from '../../src/registry/champions.ts';
import { keyPaths, type RegistryPaths, registryPaths, SIGNATURE_FILE } from '../../src/registry/layout.ts';
import type { Signer } from '../../src/registry/signer.ts';
import { openSigner } from '../../src/registry/signing.ts';
import { type TrustedKeys, trustedKeys } from '../../src/registry/verify.ts';

export interface TestRegistry {
  readonly dataDir: string;
  readonly paths: RegistryPaths;
  readonly codec: Codec;
  readonly signer: Signer;
  readonly keys: TrustedKeys;
}

export function temporaryRegistry(): TestRegistry {
  const dataDir = mkdtempSync(join(tmpdir(), 'tocsin-registry-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const codec = createCodec();
  const signer = openSigner(codec, dataDir);
  return {
    dataDir,
    paths: registryPaths({ registryDir: '', dataDir }),
    codec,
    signer,
    keys: trustedKeys(keyPaths(dataDir).public),
  };
}

/** An artefact that can be verified but not served: its one file is no network. */
export async function writePlainArtefact(
  dir: string,
  version: string,
  task: Manifest['task'] = 'informative',
): Promise<Artefact> {
  const { files: _, ...manifest } = (await loadArtefact(CHAMPION_DIR)).manifest;
  return writeArtefact(
    dir,
    { 'text.onnx': `weights of ${version}`, 'network/weights.bin': Uint8Array.of(1, 2, 3) },
    { ...manifest, name: `test-${task}`, version, task },
  );
}

/** Puts a signed version into the registry, as the gate does. */
export async function writeSigned(registry: TestRegistry, version: string): Promise<Artefact> {
  const dir = join(registry.paths.models, 'informative', version);
  await mkdir(registry.paths.models, { recursive: true });
  const artefact = await writePlainArtefact(dir, version);
  await writeFile(join(dir, SIGNATURE_FILE), registry.signer.model(artefact.digest));
  return artefact;
}

/** A state as the gate would sign it. */
export function stateOf(
  sequence: number,
  champion: ModelVersion,
  overrides: Partial<DesiredState> = {},
): Omit<DesiredState, 'kind' | 'keyId' | 'signature'> {
  return {
    sequence,
    environment: 'lab',
    issuedAt: 1_000,
    notAfter: 2_000,
    tasks: [{ task: 'informative', champion, challenger: null, canary: [], pinned: false }],
    why: 'test',
    ...overrides,
  };
}
