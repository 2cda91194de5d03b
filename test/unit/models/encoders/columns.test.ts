/** Columns for the zoo from real runs of the tiny encoders; refusals of what is no encoder. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '../../../../src/base/log.ts';
import { type EncoderRow, encoderRow } from '../../../../src/models/encoders/catalogue.ts';
import {
  encodeAll,
  pictureColumns,
  pictureWriters,
  sizeOf,
  textColumns,
  textWriters,
} from '../../../../src/models/encoders/columns.ts';
import type { Encoder } from '../../../../src/models/encoders/contract.ts';
import { openEncoder } from '../../../../src/models/encoders/open.ts';
import { unpacker } from '../../../../src/models/encoders/pack.ts';
import { writeTinyPictureEncoder, writeTinyTextEncoder } from '../../../support/tiny-encoders.ts';

const folder = mkdtempSync(join(tmpdir(), 'tocsin-columns-'));
const dirs = { text: join(folder, 'text'), picture: join(folder, 'picture') };
let row: EncoderRow;
let texts: Encoder<'text'>;
let pictures: Encoder<'image'>;

beforeAll(async () => {
  row = writeTinyTextEncoder(dirs.text);
  texts = await openEncoder(row, 'text', { dir: dirs.text, threads: 1, log: silentLog });
  pictures = await openEncoder(writeTinyPictureEncoder(dirs.picture), 'image', {
    dir: dirs.picture,
    threads: 1,
    log: silentLog,
  });
});
afterAll(async () => {
  await Promise.all([texts.close(), pictures.close()]);
  rmSync(folder, { recursive: true, force: true });
});

describe('textColumns', () => {
  it('pads with zeros and masks', async () => {
    const d = sizeOf(texts, 'tokens');
    const [packed] = await encodeAll(texts, ['flood']); // [CLS] flood [SEP]
    const { tokens, tokenMask, sentence } = textColumns(texts, 5)(packed as Uint16Array);
    const all = unpacker(texts.outputs)(packed as Uint16Array);
    expect(tokens).toHaveLength(5 * d);
    expect([...tokenMask]).toEqual([1, 1, 1, 0, 0]);
    expect(tokens.subarray(0, 3 * d)).toEqual(all.tokens);
    expect(tokens.subarray(3 * d).every((value) => value === 0)).toBe(true);
    expect(sentence).toEqual(all.sentence);
  });

  it('cuts what is longer than t, the sentence staying the mean of all', async () => {
    const [packed] = await encodeAll(texts, ['flood bridge flood bridge']);
    const columns = textColumns(texts, 2)(packed as Uint16Array);
    expect([...columns.tokenMask]).toEqual([1, 1]);
    expect(columns.sentence).toEqual(textColumns(texts, 8)(packed as Uint16Array).sentence);
  });
});

describe('writers', () => {
  it('write what the whole row gives', async () => {
    const [packed] = await encodeAll(texts, ['flood bridge']);
    for (const t of [2, 8]) {
      const whole = textColumns(texts, t)(packed as Uint16Array);
      for (const name of ['tokens', 'tokenMask', 'sentence'] as const) {
        const out = new Float32Array(whole[name].length);
        textWriters(texts)[name](packed as Uint16Array, out);
        expect(out).toEqual(whole[name]);
      }
    }
    const [seen] = await encodeAll(pictures, [new Uint8Array(224 * 224 * 3).fill(9)]);
    const whole = pictureColumns(pictures)(seen as Uint16Array);
    for (const name of ['imageLogits', 'imageFeatures'] as const) {
      const out = new Float32Array(whole[name].length);
      pictureWriters(pictures)[name](seen as Uint16Array, out);
      expect(out).toEqual(whole[name]);
    }
  });
});

it('gives logits and features of pictures', async () => {
  const [packed] = await encodeAll(pictures, [new Uint8Array(224 * 224 * 3).fill(9)]);
  const { imageLogits, imageFeatures } = pictureColumns(pictures)(packed as Uint16Array);
  expect([imageLogits.length, imageFeatures.length]).toEqual([
    sizeOf(pictures, 'logits'),
    sizeOf(pictures, 'features'),
  ]);
  expect(imageFeatures.some((value) => value > 0)).toBe(true);
});

it('encodes many samples in order and tells how far it is', async () => {
  const many = Array.from({ length: 300 }, (_, i) => `flood ${i}`);
  const done: number[] = [];
  const rows = await encodeAll(texts, many, (n) => done.push(n));
  expect(done).toEqual([256, 300]);
  expect(rows[299]).toEqual((await texts.encode(['flood 299']))[0]);
});

describe('refusals', () => {
  const open = (changed: EncoderRow, dir = dirs.text): Promise<Encoder<'text'>> =>
    openEncoder(changed, 'text', { dir, threads: 1, log: silentLog });

  it('of an encoder that is not installed, with the command that installs it', async () => {
    await expect(open({ ...row, id: 'absent' }, join(folder, 'nowhere'))).rejects.toMatchObject({
      code: 'DEPENDENCY_MISSING',
      message: expect.stringContaining('tocsin encoders install absent'),
    });
  });

  it('of a file that is not the expected one', async () => {
    const dir = join(folder, 'flipped');
    const flipped = writeTinyTextEncoder(dir);
    const bytes = readFileSync(join(dir, 'model.onnx'));
    bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1;
    writeFileSync(join(dir, 'model.onnx'), bytes);
    await expect(open(flipped, dir)).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      message: expect.stringContaining('sha256'),
    });
  });

  it('of the wrong modality, of an unknown id, of an output that is not there', async () => {
    await expect(
      openEncoder(row, 'image', { dir: dirs.text, threads: 1, log: silentLog }),
    ).rejects.toMatchObject({ code: 'BAD_USAGE' });
    expect(() => encoderRow('clip')).toThrow(/no encoder clip/);
    expect(() => sizeOf(texts, 'logits')).toThrow(/gives no logits/);
  });
});
