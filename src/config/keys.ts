/** Secret keys: from the environment, else from the data directory, where the first start makes them. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Keys {
  /** Author ids are hashed with it. */
  readonly author: Uint8Array;
  /** The label worker signs media contexts with it. */
  readonly context: Uint8Array;
}

/** Reads (or makes, mode 0600) the keys of a data directory. Several processes may do so at once. */
export function loadKeys(dataDir: string, env: NodeJS.ProcessEnv = process.env): Keys {
  const folder = join(dataDir, 'keys');
  const load = (name: string, variable: string): Uint8Array => {
    const given = env[variable];
    if (given) return Buffer.from(given, 'hex');
    const path = join(folder, `${name}.key`);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    try {
      writeFileSync(path, randomBytes(32).toString('hex'), { mode: 0o600, flag: 'wx' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    return Buffer.from(readFileSync(path, 'utf8').trim(), 'hex');
  };
  return { author: load('author', 'TOCSIN_AUTHOR_KEY'), context: load('context', 'TOCSIN_CONTEXT_KEY') };
}

/** HMAC-SHA-256, hex. */
export function hmacHex(key: Uint8Array, data: string | Uint8Array): string {
  return createHmac('sha256', key).update(data).digest('hex');
}

/** The hash that stands for an author everywhere: 32 hex digits. */
export function hashAuthor(key: Uint8Array, source: string, author: string): string {
  return hmacHex(key, `${source}\u0000${author}`).slice(0, 32);
}

/** Compares two hex strings without telling by its time where they differ. */
export function sameHex(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}
