/** Archives as they really arrive: carriage returns, quotes, broken rows, bad dates, hostile paths, cut files. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MAX_LINE, textLines } from '../../../../src/archive/lines.ts';
import { TocsinError } from '../../../../src/base/errors.ts';
import type { Archive, ArchivePost } from '../../../../src/replay/readers/contract.ts';
import { mergedItems, openArchive } from '../../../../src/replay/readers/open-archive.ts';
import { deps, itemsOf } from './reader-contract.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tocsin-archive-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function put(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

async function read(path: string): Promise<{ archive: Archive; items: ArchivePost[] }> {
  const archive = await openArchive(path, deps);
  return { archive, items: await itemsOf(archive) };
}

const texts = (items: readonly ArchivePost[]): string[] => items.map(({ post }) => post.text);
const json = (...posts: readonly object[]): string =>
  posts.map((post) => `${JSON.stringify(post)}\n`).join('');
const post = (more: object = {}): object => ({
  id: 'a',
  text: 't',
  createdAt: '2024-01-01T00:00:00Z',
  ...more,
});

const LEX = 'event\ttweet_id\tcreated_at\ton_topic\ttext';
const lex = (id: string, time: string, text: string): string => `ev\t${id}\t${time}\ton-topic\t${text}`;

describe('tab-separated archives', () => {
  it('reads CRLF, a byte-order mark, blank lines and a missing last line break', async () => {
    const rows = [LEX, lex('1', '2013-01-01T00:00:00Z', 'one'), '', lex('2', '2013-01-01T00:00:01Z', 'two')];
    const { archive, items } = await read(put('a.tsv', `\ufeff${rows.join('\r\n')}`));
    expect(texts(items)).toEqual(['one', 'two']);
    expect(archive.unreadable.size).toBe(0);
  });

  it('keeps quotation marks that belong to the text and takes off those that quote the cell', async () => {
    const rows = [
      LEX,
      lex('1', '2013-01-01T00:00:00Z', '"so it begins'),
      lex('2', '2013-01-01T00:00:01Z', '"Stay inside" "please"'),
      lex('3', '2013-01-01T00:00:02Z', '"He said ""run"" and ran"'),
      lex('4', '2013-01-01T00:00:03Z', '"all of it"'),
    ];
    const { items } = await read(put('a.tsv', rows.join('\n')));
    expect(texts(items)).toEqual([
      '"so it begins',
      '"Stay inside" "please"',
      'He said "run" and ran',
      '"all of it"',
    ]);
  });

  it('does not take U+2028 or a lone carriage return for the end of a row', async () => {
    const { items } = await read(
      put('a.tsv', [LEX, lex('1', '2013-01-01T00:00:00Z', 'one\u2028still\rone')].join('\n')),
    );
    expect(texts(items)).toEqual(['one\u2028still\rone']);
  });

  it('counts broken rows by reason and goes on', async () => {
    const rows = [
      LEX,
      'ev\t1\t2013-01-01T00:00:00Z\ton-topic',
      lex('2', '2013-01-01T00:00:00Z', 'a\ttab too many'),
      lex('', '2013-01-01T00:00:00Z', 'no id'),
      lex('has a blank', '2013-01-01T00:00:00Z', 'no id'),
      lex('3', 'yesterday', 'no date'),
      lex('4', '2013-13-01T00:00:00Z', 'no such month'),
      lex('5', '1', 'Date.parse would take it'),
      lex('6', '2999-01-01T00:00:00Z', 'from the future'),
      lex('7', '2013-01-01T00:00:00Z', 'x'.repeat(MAX_LINE)),
      lex('8', '2013-01-01T00:00:00Z', 'fine'),
    ];
    const { archive, items } = await read(put('a.tsv', rows.join('\n')));
    expect(texts(items)).toEqual(['fine']);
    expect(Object.fromEntries(archive.unreadable)).toEqual({
      column_count: 2,
      missing_id: 2,
      bad_date: 4,
      row_too_long: 1,
    });
  });

  it('keeps posts with the same id: the label worker counts the duplicates', async () => {
    const row = lex('1', '2013-01-01T00:00:00Z', 'same');
    expect((await read(put('a.tsv', [LEX, row, row].join('\n')))).items).toHaveLength(2);
  });

  it('replaces bytes that are no UTF-8 instead of failing', async () => {
    const bytes = Buffer.concat([
      Buffer.from(`${LEX}\n${lex('1', '2013-01-01T00:00:00Z', 'caf')}`),
      Buffer.from([0xe9, 0x0a]),
    ]);
    expect(texts((await read(put('a.tsv', bytes))).items)).toEqual(['caf\ufffd']);
  });

  it('sorts an archive that is out of order and keeps the order of one instant', async () => {
    const rows = [
      LEX,
      lex('3', '2013-01-03T00:00:00Z', 'c'),
      lex('1', '2013-01-01T00:00:00Z', 'a1'),
      lex('2', '2013-01-01T00:00:00Z', 'a2'),
    ];
    expect(texts((await read(put('a.tsv', rows.join('\n')))).items)).toEqual(['a1', 'a2', 'c']);
  });

  it('says which file cannot be read when a gzip file is cut off', async () => {
    const rows = Array.from({ length: 5_000 }, (_, i) =>
      lex(String(i), '2013-01-01T00:00:00Z', `text ${i * 7}`),
    );
    const whole = gzipSync([LEX, ...rows].join('\n'));
    const path = put('a.tsv.gz', whole.subarray(0, whole.length / 2));
    const failure = await openArchive(path, deps).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(TocsinError);
    expect(failure).toMatchObject({ code: 'ARCHIVE_UNREADABLE', message: expect.stringContaining(path) });
  });
});

const MMD = 'tweet_id\timage_id\ttweet_text\timage_path';
const ID = '917600575812534273';

describe('pictures of an archive', () => {
  it('refuses paths that lead out of the folder, links as well, and keeps the post', async () => {
    const outside = put('secret/keys.jpg', 'not yours');
    put('mmd/annotations/e_final_data.tsv', '');
    symlinkSync(outside, join(folder, 'mmd/link.jpg'));
    symlinkSync(dirname(outside), join(folder, 'mmd/linked-folder'));
    const paths = [
      '../secret/keys.jpg',
      'data/../../secret/keys.jpg',
      outside,
      'link.jpg',
      'linked-folder/keys.jpg',
      '.',
    ];
    put(
      'mmd/annotations/e_final_data.tsv',
      [MMD, ...paths.map((path, i) => `${ID}\t${ID}_${i}\ttext\t${path}`)].join('\n'),
    );
    const { archive, items } = await read(join(folder, 'mmd'));
    expect(items).toHaveLength(1);
    expect(items[0]?.post.media).toEqual([]);
    expect(Object.fromEntries(archive.pictureProblems)).toEqual({ picture_outside: paths.length });
  });

  it('leaves out what is missing, empty, too large or a folder', async () => {
    put('empty.jpg', '');
    put('huge.jpg', new Uint8Array(8_000_001));
    put('folder.jpg/inside.jpg', 'x');
    put('good.jpg', 'x');
    const media = ['none.jpg', 'empty.jpg', 'huge.jpg', 'folder.jpg', 'good.jpg'].map((path) => ({ path }));
    const { archive, items } = await read(put('a.jsonl', json(post({ media }))));
    expect(items[0]?.post.media).toEqual([{ id: 'm5', ref: 'archive:good.jpg' }]);
    expect(Object.fromEntries(archive.pictureProblems)).toEqual({
      picture_missing: 2,
      picture_empty: 1,
      picture_too_large: 1,
    });
  });

  it('gives pictures of one post different ids and keeps at most 16', async () => {
    put('good.jpg', 'x');
    const media = Array.from({ length: 18 }, () => ({ id: 'same', path: 'good.jpg' }));
    const { archive, items } = await read(put('a.jsonl', json(post({ media }))));
    const ids = items[0]?.post.media.map(({ id }) => id) ?? [];
    expect(ids.slice(0, 3)).toEqual(['same', 'same-2', 'same-3']);
    expect(new Set(ids).size).toBe(16);
    expect(Object.fromEntries(archive.pictureProblems)).toEqual({ too_many_pictures: 2 });
  });
});

describe('JSON lines', () => {
  it('counts lines that are no posts by reason', async () => {
    const lines = [
      '{"id":"a"',
      '[]',
      '"text"',
      JSON.stringify(post({ id: '' })),
      JSON.stringify(post({ id: undefined })),
      JSON.stringify(post({ createdAt: 'soon' })),
      JSON.stringify(post({ createdAt: undefined })),
      JSON.stringify(post({ text: 7 })),
      JSON.stringify(post({ media: [{ url: 'file:///etc/passwd' }] })),
      JSON.stringify(post({ id: 'ok' })),
    ];
    const { archive, items } = await read(put('a.ndjson', lines.join('\r\n')));
    expect(items.map((item) => item.post.id)).toEqual(['ok']);
    expect(Object.fromEntries(archive.unreadable)).toEqual({
      bad_json: 1,
      bad_field: 4,
      missing_id: 2,
      bad_date: 2,
    });
  });

  it('replaces lone surrogates, which UTF-8 cannot carry', async () => {
    const { items } = await read(put('a.jsonl', '{"id":"a","text":"\\ud83d!","createdAt":"2024-01-01"}\n'));
    expect(texts(items)).toEqual(['\ufffd!']);
  });
});

describe('finding and merging archives', () => {
  it('says what is known when nothing fits or nothing is there', async () => {
    put('notes.txt', 'hello');
    await expect(openArchive(folder, deps)).rejects.toMatchObject({
      code: 'ARCHIVE_UNREADABLE',
      message: expect.stringContaining('CrisisMMD'),
    });
    await expect(openArchive(join(folder, 'nowhere'), deps)).rejects.toMatchObject({
      code: 'ARCHIVE_UNREADABLE',
    });
  });

  it('takes an archive without posts for what it is', async () => {
    const { archive, items } = await read(put('a.jsonl', '\n\n'));
    expect([archive.posts, archive.span, items]).toEqual([0, null, []]);
  });

  it('lays archives on one time axis (property)', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.integer({ min: 0, max: 50 })), { maxLength: 4 }),
        async (lists) => {
          const archives: Archive[] = [];
          for (const [n, list] of lists.entries()) {
            const posts = list.map((second, i) =>
              post({ id: `${n}-${i}`, createdAt: Date.UTC(2024, 0, 1) + second * 1_000 }),
            );
            archives.push(await openArchive(put(`${n}.jsonl`, json(...posts)), deps));
          }
          const merged: ArchivePost[] = [];
          for await (const item of mergedItems(archives)) merged.push(item);
          const times = merged.map((item) => item.post.createdAt);
          expect(times).toEqual([...times].sort((a, b) => a - b));
          expect(merged.map((item) => item.post.id).sort()).toEqual(
            lists.flatMap((list, n) => list.map((_, i) => `${n}-${i}`)).sort(),
          );
        },
      ),
      { numRuns: 25 },
    );
  });
});

describe('lines', () => {
  it('are the pieces between line feeds, whatever the chunks (property)', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit: 'grapheme' })), fc.boolean(), async (raw, zipped) => {
        const lines = raw.map((line) =>
          line
            .replaceAll('\n', '')
            .replace(/\r+$/, '')
            .replace(/^\ufeff/, ''),
        );
        const bytes = Buffer.from(lines.map((line) => `${line}\r\n`).join(''));
        const path = put(zipped ? 'p.gz' : 'p', zipped ? gzipSync(bytes) : bytes);
        const read: (string | null)[] = [];
        for await (const line of textLines(path)) read.push(line);
        expect(read).toEqual(lines);
      }),
      { numRuns: 50 },
    );
  });

  it('longer than the cap are left out without their text', async () => {
    const path = put('long', `short\n${'x'.repeat(MAX_LINE * 2)}\nshort again\n${'ä'.repeat(MAX_LINE - 1)}`);
    const read: (string | null)[] = [];
    for await (const line of textLines(path)) read.push(line);
    expect(read).toEqual(['short', null, 'short again', null]);
  });
});
