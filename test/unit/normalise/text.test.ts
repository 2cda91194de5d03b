import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  firstCodePoints,
  LINK,
  MAX_CODE_POINTS,
  MENTION,
  normaliseText,
} from '../../../src/normalise/text.ts';

const textOf = (raw: string): string => normaliseText(raw).text;

describe('the normaliser', () => {
  it.each([
    ['a plain text', 'Bridge closed on 5th Ave.', 'Bridge closed on 5th Ave.'],
    ['white space of every kind', '  a\t\tb\n\n\u00a0c\u2003d  ', 'a b c d'],
    ['compatibility forms', 'ＦＬＯＯＤ ﬁre ① 𝐇𝐞𝐥𝐩', 'FLOOD fire 1 Help'],
    ['decomposed letters', 'cafe\u0301', 'café'],
    ['zero-width characters inside a word', 'fl\u200boo\u2060d\ufeff', 'flood'],
    ['soft hyphens', 'in\u00adfor\u00adma\u00adtive', 'informative'],
    ['direction overrides', 'safe \u202egnp.exe\u202c\u2066x\u2069', 'safe gnp.exex'],
    ['tag characters', 'hi\u{e0061}\u{e0062}', 'hi'],
    ['control characters', 'a\u0000b\u001b[31mc', 'a b [31mc'],
    ['a lone surrogate', 'a\ud800b', 'a b'],
    ['entities of an archive', 'Q &amp; A &lt;3 &quot;x&quot; it&#39;s', `Q & A <3 "x" it's`],
    ['a hashtag', '#HarveyFlood now', '#HarveyFlood now'],
    ['a URL', 'see https://t.co/Ab1?x=1&y=2#z now', `see ${LINK} now`],
    ['a URL without a scheme', 'see www.example.org/a, t.co/xyz', `see ${LINK} ${LINK}`],
    ['a URL inside Chinese', '请看http://t.cn/abc谢谢', `请看${LINK}谢谢`],
    ['what a cut left of a URL', 'more here https://…', `more here ${LINK}`],
    ['a mention', 'thanks @FEMA!', `thanks ${MENTION}!`],
    ['mentions glued together', 'hi @who@who@who', `hi ${MENTION}`],
    ['a mention of Weibo', '@新浪微博 地震', `${MENTION} 地震`],
    ['an e-mail address', 'write to help@example.org', 'write to help@example.org'],
    ['emoji', 'fire 🔥🔥', 'fire 🔥🔥'],
  ])('handles %s', (_name, raw, expected) => {
    expect(textOf(raw)).toBe(expected);
  });

  it.each([
    'RT @joe: Flood',
    'RT @joe Flood',
    'RT @a: RT @b: Flood',
    'RT: Flood',
    'RT Flood',
    'RT\u200b @joe: Flood',
  ])('strips the retweet mark of %j and says so', (raw) => {
    expect(normaliseText(raw)).toEqual({ text: 'Flood', flags: ['retweet'] });
  });

  it.each(['RTE reports', 'ART @x', 'rtfm', 'START'])('leaves %j alone', (raw) => {
    expect(normaliseText(raw).flags).toEqual([]);
  });

  it.each([
    ['👩\u200d🚒', '👩\u200d🚒'],
    ['👨🏽\u200d👩🏽\u200d👧', '👨🏽\u200d👩🏽\u200d👧'],
    ['❤\ufe0f', '❤\ufe0f'],
    ['می\u200cخواهم', 'می\u200cخواهم'],
    ['क्\u200dष', 'क्\u200dष'],
    ['fl\u200cood', 'flood'],
    ['fl\u200dood', 'flood'],
    ['\u200d🔥', '🔥'],
  ])('keeps joiners where a script or an emoji needs them: %j', (raw, expected) => {
    expect(textOf(raw)).toBe(expected);
  });

  it('bounds stacks of combining marks, invisible characters between them notwithstanding', () => {
    const marks = (text: string): number => text.match(/\p{M}/gu)?.length ?? 0;
    expect(marks(textOf(`x${'\u0316'.repeat(50)}y`))).toBe(4);
    expect(marks(textOf(`x${'\u0316\u034f'.repeat(50)}y`))).toBe(4);
    expect(textOf('ที่นี่น้ำท่วม')).toBe('ที่นี่น้ำท่วม'.normalize('NFKC'));
  });

  it('cuts at 4,096 code points and says so', () => {
    expect(normaliseText('🔥'.repeat(MAX_CODE_POINTS)).flags).toEqual([]);
    const long = normaliseText('🔥'.repeat(MAX_CODE_POINTS + 1));
    expect([...long.text]).toHaveLength(MAX_CODE_POINTS);
    expect(long.flags).toEqual(['truncated']);
    expect(normaliseText('a'.repeat(1_000_000)).flags).toEqual(['truncated']);
  });

  it.each(['', '   ', '\u200b\u200b', 'RT @joe:'])('flags a text with nothing to read: %j', (raw) => {
    expect(normaliseText(raw).text).toBe('');
    expect(normaliseText(raw).flags).toContain('empty_text');
  });

  it('leaves no name, link or invisible character, whatever they are mixed with', () => {
    const unit = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        'RT @x: ',
        ' @who',
        '@who',
        ' https://a.b/c',
        '#tag',
        '\u200d',
        '\u0301',
        '👩',
        '\n',
        '&amp;',
      ),
    );
    fc.assert(
      fc.property(fc.array(unit), (parts) => {
        const text = textOf(parts.join(''));
        expect(text).toBe(Buffer.from(text).toString());
        expect(text).toBe(text.trim());
        expect(text).not.toMatch(/[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/u);
        expect(text).not.toMatch(/(?<![A-Za-z0-9_.+-])@who|https?:\/\/a/);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['zero-width', '\u200b'],
    ['joiner', '\u200c'],
    ['marks', 'a\u0301\u0316'],
    ['space', ' '],
    ['line', '\n x'],
    ['at', '@'],
    ['mention', '@a'],
    ['http', 'http'],
    ['scheme', 'https://'],
    ['www', 'www.'],
    ['RT', 'RT '],
    ['retweet', 'RT @a '],
    ['entity', '&amp;'],
    ['amp', '&'],
    ['ligature', '\ufdfa'],
    ['dots', '...'],
    ['family', '👩\u200d'],
    ['slashes', '/'],
  ])(
    'is done with 100 KB of %s long before a quadratic pass would be',
    (_name, unit) => {
      const text = unit.repeat(Math.ceil(100_000 / unit.length));
      for (let i = 0; i < 10; i += 1) expect(normaliseText(text).flags).toContain('truncated');
    },
    20_000,
  );
});

describe('the cut', () => {
  it('never splits a code point', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(20), (text, count) => {
        expect([...firstCodePoints(text, count)]).toEqual([...text].slice(0, count));
      }),
    );
  });
});
