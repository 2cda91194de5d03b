/** The encoder contract: three tiny encoders with random weights, and every known encoder that is on this machine. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { cacheDir } from '../../../src/config/cache.ts';
import { DEFAULT_ENCODERS, ENCODERS, encoderDir } from '../../../src/models/encoders/catalogue.ts';
import { isInstalled } from '../../../src/models/encoders/files.ts';
import { installEncoder } from '../../../src/models/encoders/install.ts';
import {
  USER_ROW,
  userNetwork,
  writeTinyPictureEncoder,
  writeTinyTextEncoder,
} from '../../support/tiny-encoders.ts';
import { describeEncoder } from './encoder-contract.ts';

const folder = mkdtempSync(join(tmpdir(), 'tocsin-encoders-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

const [text, picture, user] = [join(folder, 'text'), join(folder, 'picture'), join(folder, 'user')];
describeEncoder(writeTinyTextEncoder(text), text);
describeEncoder(writeTinyPictureEncoder(picture), picture);

writeFileSync(join(folder, 'user.onnx'), userNetwork());
installEncoder(USER_ROW, { dir: user, from: join(folder, 'user.onnx') });
describeEncoder(USER_ROW, user);

const present = ENCODERS.filter((row) => isInstalled(row, encoderDir(row, cacheDir())));
for (const row of present) describeEncoder(row, encoderDir(row, cacheDir()));

it('covers the encoders that ship', () => {
  expect(present.map(({ id }) => id)).toEqual(expect.arrayContaining(Object.values(DEFAULT_ENCODERS)));
});
