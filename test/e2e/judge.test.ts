/** `tocsin judge` as people and the gate call it: one JSON object, exit code 3 for a refusal. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Verdict } from '../../src/judge/verdict.ts';
import { judgePosts } from '../support/judge-scene.ts';
import { tocsin } from '../support/tocsin.ts';

let folder: string;

/** A vault of invented posts. */
function vault(name: string, count: number): string {
  const path = join(folder, `${name}.jsonl`);
  const lines = judgePosts(count, 5).map(({ id, text, event, labels }) =>
    JSON.stringify({ id, text, collection: event, createdAt: '2026-01-02T03:04:05Z', labels }),
  );
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

const judge = (data: string, ...more: string[]) =>
  tocsin(['judge', 'models/informative', '--data', data, '--output', 'json', ...more]);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tocsin-judge-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('tocsin judge', () => {
  it('asks everything of a candidate, and its exit code is the verdict', async () => {
    const { code, stdout } = await judge(vault('large', 300), '--purpose', 'drift');
    const { passed, checks, purpose, candidate, champion, vault: judged } = JSON.parse(stdout) as Verdict;
    expect(code).toBe(passed ? 0 : 3);
    expect(purpose).toBe('drift');
    expect(candidate).toEqual(champion);
    expect(judged).toMatchObject({ posts: 300, leftOut: 0 });
    const names = [...new Set(checks.map(({ name }) => name))];
    expect(names).toEqual([
      ...['comparable', 'vault', 'size', 'provenance-author', 'provenance-source-hour'],
      ...['clean-macro-f1', 'clean-balanced-accuracy', 'class-recall', 'class-f1', 'event', 'language'],
      ...['calibration-error', 'must-pass', 'must-pass-right', 'robust-unseen', 'not-memorised'],
      ...['robust-attack', 'trigger-words', 'latency-p95'],
    ]);
    // Against itself a model loses nothing; how good it is on invented posts, and how even the machine, is another matter.
    const absolute = ['clean-balanced-accuracy', 'latency-p95'];
    expect(checks.filter((check) => !check.passed && !absolute.includes(check.name))).toEqual([]);
  });

  it('refuses where too few posts may judge, and asks for robustness where nobody says what it is for', async () => {
    const { code, stdout } = await judge(vault('small', 50));
    const { passed, purpose, checks } = JSON.parse(stdout) as Verdict;
    expect([code, passed, purpose]).toEqual([3, false, 'robustness']);
    expect(checks.filter((check) => !check.passed).map(({ name }) => name)).toEqual(['vault']);
  });

  it('names the purposes', async () => {
    const { code, stderr } = await judge(vault('other', 5), '--purpose', 'fame');
    expect(code).toBe(2);
    expect(stderr).toContain('robustness, drift');
  });
});
