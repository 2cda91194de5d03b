/** The private side of the gate's signatures. Only the gate's command may import this (an import rule). */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomUUID,
  sign,
} from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Codec } from '../bus/codec.ts';
import { signedPart } from './desired-state.ts';
import { keyPaths } from './layout.ts';
import type { Signer } from './signer.ts';
import { keyIdOf, modelMessage } from './verify.ts';

const EMPTY = new Uint8Array(64);

/** Opens the key of a data directory; the first call makes it (mode 0600) and writes its public side. */
export function openSigner(codec: Codec, dataDir: string): Signer {
  const paths = keyPaths(dataDir);
  const key = createPrivateKey(readOrMake(paths.signing));
  const publicKey = createPublicKey(key);
  vouchFor(publicKey, paths.public);
  const keyId = keyIdOf(publicKey);
  return {
    keyId,
    state(state) {
      const bytes = codec.encode({ ...state, kind: 'DesiredState', keyId, signature: EMPTY });
      bytes.set(sign(null, signedPart(bytes), key), bytes.length - EMPTY.length);
      return bytes;
    },
    model: (digest) =>
      `${JSON.stringify({ keyId, digest, signature: sign(null, modelMessage(digest), key).toString('base64') })}\n`,
  };
}

/** A key is there whole or not at all, however many processes make it at once. */
function readOrMake(path: string): string {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const aside = `${path}.${randomUUID()}`;
  const { privateKey } = generateKeyPairSync('ed25519');
  writeFileSync(aside, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flag: 'wx' });
  try {
    linkSync(aside, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(aside, { force: true });
  }
  return readFileSync(path, 'utf8');
}

/** Writes the public key, unless the file (which may hold others, too) already has it. */
function vouchFor(key: KeyObject, path: string): void {
  const pem = key.export({ type: 'spki', format: 'pem' }).toString();
  let known = '';
  try {
    known = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  if (known.includes(pem.trim())) return;
  const aside = `${path}.${randomUUID()}`;
  writeFileSync(aside, known + pem, { mode: 0o644, flag: 'wx' });
  renameSync(aside, path);
}
