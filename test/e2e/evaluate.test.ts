/** `tocsin evaluate` as people and scripts call it: one JSON object, exit codes, a report. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT, tocsin } from '../support/tocsin.ts';

const fixture = (name: string): string => join(ROOT, 'test/fixtures', name);

async function evaluate(...args: string[]): Promise<{ code: unknown; out: string; err: string }> {
  const { code, stdout, stderr } = await tocsin(['evaluate', ...args]);
  return { code, out: stdout, err: stderr };
}

describe('tocsin evaluate', () => {
  it('prints one JSON object and writes the report', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tocsin-evaluate-'));
    try {
      const data = fixture('datasets/humaid');
      const { code, out, err } = await evaluate(
        ...['informative', '--data', data, '--output', 'json', '--report', folder],
      );
      expect([code, err]).toEqual([0, '']);
      const result = JSON.parse(out) as Record<string, unknown> & { intervals: Record<string, unknown> };
      expect(result['n']).toBe(6);
      for (const name of ['accuracy', 'balancedAccuracy', 'macroF1', 'auroc', 'ece', 'majority', 'coverage'])
        expect(result[name]).toBeTypeOf('number');
      for (const name of ['accuracy', 'balancedAccuracy', 'macroF1', 'auroc', 'majority', 'coverage'])
        expect(result.intervals[name]).toHaveLength(2);
      expect(readdirSync(folder)).toHaveLength(5);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('takes a split, a limit and pictures, and says in the table what the labels are', async () => {
    const { code, out } = await evaluate(
      ...[
        'informative',
        '--data',
        fixture('archives/crisismmd'),
        '--split',
        'all',
        '--with-picture',
        '--limit',
        '4',
      ],
    );
    expect([code, out]).toEqual([0, expect.stringMatching(/CrisisMMD v2\.0, split all, all: 4 posts/)]);
    const weak = await evaluate('informative', '--data', fixture('datasets/kaggle'));
    expect(weak.out).toContain('Labels are weak');
  });

  it.each([
    [
      'a collection without such labels',
      ['--data', 'test/fixtures/datasets/weibo'],
      2,
      /no labels for informative/,
    ],
    [
      'a split that is none',
      ['--data', 'test/fixtures/datasets/kaggle', '--split', 'groped'],
      2,
      /did you mean grouped/,
    ],
    [
      'a limit that is none',
      ['--data', 'test/fixtures/datasets/kaggle', '--limit', 'few'],
      2,
      /whole number/,
    ],
    ['a folder that nobody knows', ['--data', 'test/fixtures/pictures'], 1, /no reader knows/],
  ])('refuses %s', async (_, args, exit, message) => {
    const { code, out, err } = await evaluate('informative', ...args);
    expect([code, out]).toEqual([exit, '']);
    expect(err).toMatch(message);
  });
});
