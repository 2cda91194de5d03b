import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readResumePoint, writeResumePoint } from '../../../src/replay/resume.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tocsin-resume-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('resume point', () => {
  it('comes back as it was written, and leaves nothing beside it', () => {
    const path = join(folder, 'run', 'sample.json');
    expect(readResumePoint(path)).toBeNull();
    writeResumePoint(path, { replayId: 'r', sent: 1, done: false });
    writeResumePoint(path, { replayId: 'r', sent: 7, done: true });
    expect(readResumePoint(path)).toEqual({ replayId: 'r', sent: 7, done: true });
    expect(readdirSync(join(folder, 'run'))).toEqual(['sample.json']);
  });

  it.each(['', 'null', '{"sent":3}', '{"replayId":"r","sent":-1,"done":false}'])(
    'is not guessed from %j',
    (text) => {
      const path = join(folder, 'other.json');
      writeFileSync(path, text);
      expect(() => readResumePoint(path)).toThrow(expect.objectContaining({ code: 'BAD_USAGE' }));
    },
  );
});
