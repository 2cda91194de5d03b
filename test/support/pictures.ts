/** The drawn pictures of test/fixtures/pictures (made by scripts/make-picture-fixtures.ts). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../fixtures/pictures', import.meta.url));

/** Bytes of one of them. */
export function fixturePicture(name: string): Uint8Array {
  return new Uint8Array(readFileSync(join(folder, name)));
}
