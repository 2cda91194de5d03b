/** The buffer's file survives torn lines, repeats nothing and stays bounded. */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type KeptRuling, openBuffer, type RuledPost } from '../../../src/sidecar/buffer.ts';
import { samplesOf } from '../../../src/sidecar/samples.ts';
import { temporaryDir } from '../../support/embedded.ts';

const post = (id: string, more: Partial<RuledPost> = {}): RuledPost => ({
  id,
  text: `text of ${id}`,
  author: 'a',
  source: 's',
  collection: 'c',
  language: 'en',
  createdAt: 0,
  ...more,
});
const ruling = (rulingId: string, postIds: string[], more: Partial<KeptRuling> = {}): KeptRuling => ({
  rulingId,
  postIds,
  ruling: 'informative',
  by: 'ana',
  at: 1,
  undoes: null,
  ...more,
});

describe('the buffer', () => {
  it('gives back what was added, once, after a restart too', async () => {
    const path = join(temporaryDir(), 'deep', 'buffer.jsonl');
    const first = await openBuffer(path, 10);
    await first.add({ posts: [post('p')], rulings: [ruling('r', ['p'])] });
    await first.add({ posts: [post('p')], rulings: [ruling('r', ['p'])] });
    await first.close();
    expect(readFileSync(path, 'utf8').trim().split('\n')).toHaveLength(2);
    const second = await openBuffer(path, 10);
    expect([...second.posts().values()]).toEqual([post('p')]);
    expect([...second.rulings().values()]).toEqual([ruling('r', ['p'])]);
    await second.close();
  });

  it('cuts a line that a kill has torn, at every byte of it', async () => {
    const path = join(temporaryDir(), 'buffer.jsonl');
    const whole = `${JSON.stringify({ post: post('p') })}\n`;
    const torn = `${JSON.stringify({ post: post('q') })}\n`;
    for (let bytes = 0; bytes < torn.length; bytes += 1) {
      writeFileSync(path, whole);
      appendFileSync(path, torn.slice(0, bytes));
      const buffer = await openBuffer(path, 10);
      await buffer.add({ posts: [post('r')] });
      await buffer.close();
      const again = await openBuffer(path, 10);
      expect([...again.posts().keys()]).toEqual(['p', 'r']);
      await again.close();
    }
  });

  it('lets the oldest go at its limit, and the file does not grow for ever', async () => {
    const path = join(temporaryDir(), 'buffer.jsonl');
    for (let i = 0; i < 20; i += 1) {
      const buffer = await openBuffer(path, 3);
      await buffer.add({ posts: [post(`p${i}`)] });
      expect(buffer.posts().size).toBeLessThanOrEqual(3);
      await buffer.close();
    }
    expect(readFileSync(path, 'utf8').trim().split('\n').length).toBeLessThanOrEqual(7);
    const last = await openBuffer(path, 3);
    expect([...last.posts().keys()]).toEqual(['p17', 'p18', 'p19']);
    await last.close();
  });

  it('takes a ruling anew when it covers more posts', async () => {
    const buffer = await openBuffer(join(temporaryDir(), 'buffer.jsonl'), 10);
    await buffer.add({ rulings: [ruling('r', ['p'])] });
    await buffer.add({ rulings: [ruling('r', ['p', 'q'])] });
    expect(buffer.rulings().get('r')?.postIds).toEqual(['p', 'q']);
    await buffer.close();
  });
});

describe('samples', () => {
  const of = (rulings: readonly KeptRuling[], posts: readonly RuledPost[] = [post('p')]) =>
    samplesOf({
      rulings: () => new Map(rulings.map((kept) => [kept.rulingId, kept])),
      posts: () => new Map(posts.map((kept) => [kept.id, kept])),
    }).map(({ post: { id }, label, people, disputed }) => ({ id, label, people, disputed }));

  it("take each person's last word, and count who agrees", () => {
    const said = [
      ruling('1', ['p']),
      ruling('2', ['p'], { ruling: 'not_informative', at: 2 }),
      ruling('3', ['p'], { ruling: 'not_informative', at: 3, by: 'ben' }),
    ];
    expect(of(said)).toEqual([{ id: 'p', label: 0, people: 2, disputed: false }]);
    const contrary = ruling('4', ['p'], { at: 4, by: 'cleo' });
    expect(of([...said, contrary])).toEqual([{ id: 'p', label: 1, people: 1, disputed: true }]);
  });

  it('forget what was taken back, unless that was taken back again', () => {
    const undone = [ruling('1', ['p']), ruling('2', ['p'], { undoes: '1', at: 2 })];
    expect(of(undone)).toEqual([]);
    expect(of([...undone, ruling('3', ['p'], { undoes: '2', at: 3 })])).toEqual([
      { id: 'p', label: 1, people: 1, disputed: false },
    ]);
  });

  it('need a known text and a clear answer', () => {
    expect(of([ruling('1', ['unknown'])])).toEqual([]);
    expect(of([ruling('1', ['p'], { ruling: 'unclear' })])).toEqual([]);
  });
});
