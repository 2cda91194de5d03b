/** The encoder contract: two tiny encoders with random weights, and every known encoder that is on this machine. */
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { cacheDir } from '../../../src/config/cache.ts';
import { DEFAULT_ENCODERS, ENCODERS, encoderDir } from '../../../src/models/encoders/catalogue.ts';
import { isInstalled } from '../../../src/models/encoders/files.ts';
import { writeTinyPictureEncoder, writeTinyTextEncoder } from '../../support/tiny-encoders.ts';
import { describeEncoder } from './encoder-contract.ts';

const folder = mkdtempSync(join(tmpdir(), 'tocsin-encoders-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

const [text, picture] = [join(folder, 'text'), join(folder, 'picture')];
describeEncoder(writeTinyTextEncoder(text), text);
describeEncoder(writeTinyPictureEncoder(picture), picture);

const present = ENCODERS.filter((row) => isInstalled(row, encoderDir(row, cacheDir())));
for (const row of present) describeEncoder(row, encoderDir(row, cacheDir()));

it('covers the encoders that ship', () => {
  expect(present.map(({ id }) => id)).toEqual(expect.arrayContaining(Object.values(DEFAULT_ENCODERS)));
});
