/** The page of a report: what it marks, and that hostile texts stay texts. */
import { describe, expect, it } from 'vitest';
import type { Attack, Posts } from '../../../../src/adversarial/attack.ts';
import type { AttackRun } from '../../../../src/adversarial/suite.ts';
import { decodePicture } from '../../../../src/media/decode.ts';
import { MAX_WORDS, tokenise } from '../../../../src/models/words.ts';
import { examplesOf } from '../../../../src/training/robustness/examples.ts';
import type { AttackedFigures, Robustness } from '../../../../src/training/robustness/figures.ts';
import { attackPage } from '../../../../src/training/robustness/page.ts';
import { encodePng } from '../../../../src/training/robustness/png.ts';
import { drawnPictures } from '../../../support/drawn-pictures.ts';
import { METRICS } from '../../../support/test-artefact.ts';

const SIDE = 64;
const HOSTILE = `<script>alert(1)</script> "quoted" </blockquote><img src=x onerror=alert(1)> \u202Eegdirb`;
const WORDS = ['', 'water', 'river'];

/** One attacked post. */
function run(text: string, change: Partial<Pick<AttackRun['audit'][number], 'swaps' | 'text'>>): AttackRun {
  const audit = [{ swaps: [], text: null, picture: null, queries: 3, ...change }];
  return {
    attack: { name: 'planned', source: 'a < b' } as Attack,
    posts: posts(text),
    audit,
    judged: { metrics: METRICS, right: [false], probability: [0.2] },
    metrics: METRICS,
    success: 1,
    wordsReplaced: 0.5,
    secondsPer1000: 1,
    queriesPerPost: 3,
  };
}
const posts = (text: string, pixels: Float32Array | null = null): Posts => ({
  count: 1,
  texts: [text],
  words: new Int32Array(MAX_WORDS),
  pixels,
  labels: Float32Array.of(1),
});
const CLEAN = { metrics: METRICS, right: [true], probability: [0.9] };
const NAMING = { classes: ['informative'], word: (row: number) => WORDS[row] ?? '', read: tokenise };

const figures: AttackedFigures = {
  accuracy: 0.5,
  balancedAccuracy: 0.5,
  macroF1: 0.5,
  intervals: { accuracy: [0, 1], balancedAccuracy: [0, 1], macroF1: [0, 1] },
  withPosts: true,
  success: 1,
  wordsReplaced: 0.5,
  secondsPer1000: 1,
  queriesPerPost: 3,
};
const check = { check: 'words_gradient', passed: false, detail: 'some <b>vanish</b>' };
const REPORT = {
  model: { name: 'mmn', version: '1', sha256: '' },
  data: { name: HOSTILE, split: 'all', part: 'all' },
  suite: 'strong',
  crafter: { kind: 'self', name: 'mmn', why: 'crafted on itself' },
  epsilon: 0.1,
  n: 1,
  clean: figures,
  attacked: { words: figures },
  worst: figures,
  checks: [check],
  flags: [{ flag: 'OVERESTIMATED', ...check }],
} as unknown as Robustness;

describe('examples', () => {
  it('mark replaced words on what the model reads', () => {
    const swaps = [{ position: 1, before: 1, after: 2 }];
    const [shown] = examplesOf(posts('The water rises!'), CLEAN, [run('', { swaps })], NAMING, 5);
    expect(shown?.examples[0]).toMatchObject({
      fooled: true,
      truth: ['informative: yes'],
      answers: [{ name: 'informative', before: 0.9, after: 0.2 }],
      pieces: [
        { kind: 'same', text: 'the' },
        { kind: 'gone', text: 'water' },
        { kind: 'new', text: 'river' },
        { kind: 'same', text: 'rises' },
      ],
    });
  });

  it('mark edits of a text, and leave out posts that were not changed', () => {
    const [edited] = examplesOf(posts('a b c'), CLEAN, [run('', { text: 'x a c' })], NAMING, 5);
    const pieces = edited?.examples[0]?.pieces.map(({ kind, text }) => `${kind} ${text}`);
    expect(pieces).toEqual(['new x', 'same a', 'gone b', 'same c']);
    const [untouched] = examplesOf(posts('a b c'), CLEAN, [run('', { text: 'a b c' })], NAMING, 5);
    expect(untouched?.examples).toEqual([]);
  });
});

describe('the page', () => {
  it('escapes every text, shows what nobody sees by its code, and lets nothing run or load', () => {
    const attacked = [run('', { text: `${HOSTILE} m\u200Bud` })];
    const page = attackPage(REPORT, examplesOf(posts(HOSTILE), CLEAN, attacked, NAMING, 5));
    expect(page).not.toMatch(/<script|<img src=x|<\/blockquote><img|<b>vanish/);
    expect(page).not.toMatch(/[\u200B\u202E]/);
    expect(page).toContain('⟨U+202E⟩');
    expect(page).toContain('<ins>m⟨U+200B⟩ud</ins>');
    expect(page).toContain('OVERESTIMATED');
    expect(page).toContain("default-src 'none'; img-src data:; style-src 'sha256-");
    expect(page.match(/<style>/g)).toHaveLength(1);
  });

  it('shows pictures before, after, and their difference amplified', async () => {
    const bytes = drawnPictures(1);
    const before = Float32Array.from(bytes, (value) => value / 255);
    const after = before.map((value, k) => (k % 2 ? value : Math.min(1, value + 0.02)));
    const one = run('', {});
    const changed: AttackRun = {
      ...one,
      posts: posts('water', after),
      audit: [{ swaps: [], text: null, picture: { linf: 0.02, l2: 1 }, queries: 1 }],
    };
    const shown = examplesOf(posts('water', before), CLEAN, [changed], NAMING, 5);
    const picture = shown[0]?.examples[0]?.picture;
    expect(picture?.before).toEqual(bytes);
    expect(picture?.factor).toBe(25);
    expect([picture?.difference[0], picture?.difference[1]]).toEqual([255, 128]);
    expect(attackPage(REPORT, shown).match(/<img /g)).toHaveLength(3);
    const decoded = await decodePicture(encodePng(bytes, SIDE));
    expect('refused' in decoded ? null : decoded.pixels64).toEqual(bytes);
  });
});
