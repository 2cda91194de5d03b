/** The public side of the gate's signatures (ed25519): which keys are trusted, and what a signature says. */
import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** 16 hex digits of the key's SHA-256. */
export function keyIdOf(publicKey: KeyObject): string {
  const der = publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(der).digest('hex').slice(0, 16);
}

export interface TrustedKeys {
  /** Null for a key that nobody vouched for. */
  find(keyId: string): KeyObject | null;
}

const PEM = /-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g;

/**
 * The public keys in a file, one PEM block each (two while a key is being changed). The file is read again when an unknown
 * key is asked for: a gate that starts for the first time makes it after the workers have started.
 */
export function trustedKeys(path: string): TrustedKeys {
  let keys: ReadonlyMap<string, KeyObject> = new Map();
  return {
    find(keyId) {
      if (!keys.has(keyId)) keys = readKeys(path);
      return keys.get(keyId) ?? null;
    },
  };
}

function readKeys(path: string): ReadonlyMap<string, KeyObject> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
    throw error;
  }
  const keys = (text.match(PEM) ?? []).map((pem) => createPublicKey(pem));
  return new Map(keys.filter((key) => key.asymmetricKeyType === 'ed25519').map((key) => [keyIdOf(key), key]));
}

/** What is signed of a model: never mistaken for a state, whose bytes begin with C3 01. */
export const modelMessage = (digest: string): Buffer => Buffer.from(`tocsin-model ${digest}`);

/** Whether the holder of the private key signed these bytes. */
export const isSigned = (message: Uint8Array, key: KeyObject, signature: Uint8Array): boolean =>
  verify(null, message, key, signature);
