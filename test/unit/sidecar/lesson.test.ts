/** What a step of a round trains on, with vectors by which one can tell where a word came from. */
import { beforeAll, expect, it } from 'vitest';
import { openEngine } from '../../../src/models/engine/engine.ts';
import type { Tf } from '../../../src/models/engine/tf.ts';
import { MAX_WORDS, WORD_DIMENSIONS } from '../../../src/models/words.ts';
import { lesson, taughtOf } from '../../../src/sidecar/lesson.ts';
import type { PlannedRow } from '../../../src/sidecar/plan.ts';

const [CLEAN, NOW, BEFORE] = [1, 2, 3];
let tf: Tf;
beforeAll(async () => {
  tf = await openEngine();
});

const wordsOf = (rows: number, value: number) => tf.fill([rows, MAX_WORDS, WORD_DIMENSIONS], value);

/** The first value of every word, post by post, after a step on these rows; of ten rows the first four are attacked, and two have misled. */
function seen(rows: readonly number[], seed: number): number[][] {
  return tf.tidy(() => {
    const craft = lesson(tf, {
      vectors: new Float32Array(2 * WORD_DIMENSIONS).fill(BEFORE as number),
      attacked: 4,
      crafted: [0, 1].map((row) => ({ row, words: Array.from({ length: MAX_WORDS }, () => 1) })),
      craftNow: (clean, _step, own) => ({
        batch: { words: tf.concat([clean.batch.words as never, wordsOf(own.length, NOW as number)], 0) },
        labels: clean.labels,
      }),
    });
    const batch = {
      batch: { words: wordsOf(rows.length, CLEAN as number) },
      labels: tf.tensor2d([...rows], [rows.length, 1]),
    } as never;
    const { batch: out, labels } = craft(batch, { seed, done: 0, total: 1 }, rows);
    const values = (out.words as NonNullable<typeof out.words>).arraySync() as number[][][];
    const told = labels.dataSync();
    return values.map((post, i) => [told[i] as number, ...post.map(([first]) => first as number)]);
  });
}

it('adds a changed form of attacked posts alone, some of whose words are changed, in one way', () => {
  const before = tf.memory().numTensors;
  const rows = [0, 7, 2, 9, 1, 3];
  const ways = new Set<number>();
  for (let seed = 1; seed <= 20; seed += 1) {
    const posts = seen(rows, seed);
    expect(posts.map(([row]) => row)).toEqual([...rows, 0, 2, 1, 3]);
    for (const [, ...words] of posts.slice(0, rows.length)) expect(new Set(words)).toEqual(new Set([CLEAN]));
    for (const [row, ...words] of posts.slice(rows.length)) {
      const changed = words.filter((word) => word !== CLEAN);
      expect(new Set(changed).size).toBeLessThanOrEqual(1);
      expect(changed.length).toBeLessThan(MAX_WORDS);
      // Only rows 0 and 1 have a form that misled the champion.
      if ((row as number) > 1) expect(changed).not.toContain(BEFORE);
      for (const word of changed) ways.add(word);
    }
    expect(seen(rows, seed)).toEqual(posts);
  }
  expect([...ways].sort()).toEqual([NOW, BEFORE]);
  expect(seen([7, 9], 1)).toHaveLength(2);
  expect(tf.memory().numTensors).toBe(before);
});

it('teaches half of what the champion says of seeds, and rulings as they are', () => {
  const row = (label: 0 | 1, provenance: PlannedRow['provenance']): PlannedRow => ({
    id: 'a',
    text: 'a',
    label,
    provenance,
  });
  const taught = taughtOf([row(1, 'seed'), row(0, 'seed'), row(1, 'human')], [0, 100, -100]);
  expect([...taught]).toEqual([0.75, 0.5, 1]);
});
