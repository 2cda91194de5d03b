/** `tocsin attack` as people and scripts call it: fixed names in one JSON object, a table, exit codes. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT, tocsin } from '../support/tocsin.ts';

const DATA = join(ROOT, 'test/fixtures/crisislex_t26.tsv');

interface Row {
  readonly accuracy: number;
  readonly balancedAccuracy: number;
  readonly macroF1: number;
  readonly success: number;
  readonly wordsReplaced: number;
}

describe('tocsin attack', () => {
  it('prints clean, attacked, flags and a sweep', async () => {
    const posts = ['informative', '--data', DATA, '--limit', '40', '--seed', '2', '--output', 'json'];
    const { code, stdout } = await tocsin(['attack', ...posts, '--suite', 'strong']);
    const report = JSON.parse(stdout) as {
      clean: Row;
      attacked: Record<string, Row>;
      flags: unknown[];
      epsSweep: { epsilon: number }[];
    };
    expect(code).toBe(report.flags.length > 0 ? 3 : 0);
    expect(Object.keys(report.attacked)).toEqual(
      expect.arrayContaining(['words', 'greedy-words', 'characters-swap', 'prefix-15', 'dilution']),
    );
    for (const row of Object.values(report.attacked))
      for (const name of ['accuracy', 'balancedAccuracy', 'macroF1', 'success', 'wordsReplaced'] as const)
        expect(row[name]).toBeTypeOf('number');
    expect(report.attacked['words']?.wordsReplaced).toBeGreaterThan(0.1);
    expect(report.epsSweep.map(({ epsilon }) => Math.round(255 * epsilon * 10) / 10)).toEqual([
      2, 4, 8, 16, 25.5,
    ]);
  });

  it('joins an evaluation, whose own figures are the clean ones, and writes a page', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tocsin-robust-'));
    try {
      const { code, stdout } = await tocsin([
        ...['evaluate', 'informative', '--data', DATA, '--limit', '40', '--output', 'json'],
        ...['--robust', '--report', folder],
      ]);
      const both = JSON.parse(stdout) as Row & { clean: Row; attacked: Record<string, Row>; ece: number };
      expect([0, 3]).toContain(code);
      for (const name of ['accuracy', 'balancedAccuracy', 'macroF1'] as const)
        expect(both.clean[name]).toBe(both[name]);
      expect(both.ece).toBeTypeOf('number');
      expect(Object.keys(both.attacked)).toEqual(['words']);
      expect(readFileSync(join(folder, 'attack.html'), 'utf8')).toMatch(/<del>.*<ins>/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('attacks a task of several classes, and prints a table', async () => {
    const { code, stdout } = await tocsin([
      'attack',
      'humanitarian',
      '--data',
      DATA,
      '--limit',
      '30',
      '--suite',
      'static',
    ]);
    expect([0, 3]).toContain(code);
    expect(stdout).toMatch(/^mmn-humanitarian .*: 30 posts, suite static\ncrafted on .*undefended/);
    expect(stdout).toMatch(/\nwords +\d/);
  });

  it.each([
    ['a suite that is none', ['--suite', 'mild'], /one of static, adaptive, strong/],
    ['a bound that is none', ['--epsilon', '9/2'], /like 8\/255/],
    [
      'a constraint that is none',
      ['--constraints', 'rhyme'],
      /one of part-of-speech, antonyms, language-model/,
    ],
    ['a twin for an adaptive suite', ['--twin', 'models/informative'], /--crafter/],
    ['a crafter with other outputs', ['--crafter', 'humanitarian'], /head, word table or encoders differ/],
  ])('refuses %s', async (_, args, message) => {
    const { code, stdout, stderr } = await tocsin(['attack', 'informative', '--data', DATA, ...args]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message);
  });
});
