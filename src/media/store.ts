/** The media store: pictures by the sha256 of their bytes, in a folder that several processes share. */
import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { TocsinError } from '../base/errors.ts';

/** Most bytes that one stored picture may have. */
export const MAX_PICTURE_BYTES: number = 8_000_000;

/** One shelf of the store. What is put on it never changes; equal bytes lie there once. */
export interface MediaArea {
  /**
   * Keeps the bytes and resolves to their key, 64 hex digits, once they are there for every process.
   * Throws MEDIA_REFUSED for no bytes and for more than `MAX_PICTURE_BYTES`.
   */
  put(bytes: Uint8Array): Promise<string>;
  /** The bytes; null for a key that is unknown or no key at all, and for a file whose bytes no longer match it. */
  get(key: string): Promise<Uint8Array | null>;
  /** Whether something lies under the key. */
  has(key: string): Promise<boolean>;
}

export interface MediaStore {
  /** Bytes as they were given; untrusted, read by the media worker alone, referred to as `store:<key>`. */
  readonly quarantine: MediaArea;
  /** Re-encoded by the media worker; the only ones that may be shown. */
  readonly previews: MediaArea;
}

const KEY = /^[0-9a-f]{64}$/;

/** Whether the text can be a key: anything else never touches the disk. */
export function isStoreKey(text: string): boolean {
  return KEY.test(text);
}

/** The key of the bytes. */
export function storeKey(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The store under `<dataDir>/media`; folders are made when they are first written to. */
export function openMediaStore(dataDir: string): MediaStore {
  return {
    // What a source was told is accepted must survive a power cut; a preview can be made again.
    quarantine: openArea(join(dataDir, 'media', 'quarantine'), { flush: true }),
    previews: openArea(join(dataDir, 'media', 'previews'), { flush: false }),
  };
}

function openArea(folder: string, options: { readonly flush: boolean }): MediaArea {
  /** Two levels of 256 folders keep every folder short. */
  const pathOf = (key: string): string => join(folder, key.slice(0, 2), key.slice(2, 4), key);

  return {
    async put(bytes) {
      if (bytes.length === 0) throw new TocsinError('MEDIA_REFUSED', 'a picture of no bytes');
      if (bytes.length > MAX_PICTURE_BYTES)
        throw new TocsinError('MEDIA_REFUSED', `a picture of ${bytes.length} bytes is over the limit`);
      const key = storeKey(bytes);
      const path = pathOf(key);
      if ((await sizeOf(path)) === bytes.length) return key;
      // Written aside and renamed: readers see all of it or nothing, whoever else writes the same.
      const aside = `${path}.${randomBytes(6).toString('hex')}.tmp`;
      try {
        const file = await create(aside);
        try {
          await file.writeFile(bytes);
          if (options.flush) await file.sync();
        } finally {
          await file.close();
        }
        await rename(aside, path);
      } catch (error) {
        await rm(aside, { force: true });
        throw error;
      }
      return key;
    },

    async get(key) {
      if (!isStoreKey(key)) return null;
      try {
        const bytes = await readFile(pathOf(key));
        return storeKey(bytes) === key ? bytes : null;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
        throw error;
      }
    },

    async has(key) {
      return isStoreKey(key) && (await sizeOf(pathOf(key))) !== null;
    },
  };
}

/** Opens a new file; its folder is made when it turns out to be missing. */
async function create(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    return open(path, 'wx', 0o600);
  }
}

async function sizeOf(path: string): Promise<number | null> {
  try {
    const found = await stat(path);
    return found.isFile() ? found.size : null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
