/** What may train and what goes to quarantine; poisoned buffers above all. */
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/base/random.ts';
import { WORD_DIMENSIONS } from '../../../src/models/words.ts';
import {
  HYGIENE_DEFAULTS,
  type Sorted,
  type Suspect,
  sortSamples,
  type Trusted,
} from '../../../src/sidecar/hygiene.ts';

const HOUR_MS = 3_600_000;
const random = seededRandom(4);
/** Around +1 in the first dimension for label 1, around −1 for 0. */
const around = (label: 0 | 1): Float32Array =>
  Float32Array.from({ length: WORD_DIMENSIONS }, (_, d) => (d === 0 ? 2 * label - 1 : (random() - 0.5) / 10));
const trusted: readonly Trusted[] = Array.from({ length: 200 }, (_, i) => {
  const label = (i % 2) as 0 | 1;
  return { mean: around(label), label, message: `seed ${i}`, loss: i / 400 };
});

const suspect = (
  i: number,
  more: Partial<Suspect> & {
    readonly truth?: 0 | 1;
    readonly label?: 0 | 1;
    readonly author?: string | null;
  } = {},
): Suspect => {
  const { truth = 1, label = truth, author = `author ${i}`, ...rest } = more;
  return {
    mean: around(truth),
    known: true,
    message: `message ${i}`,
    heldOut: false,
    loss: 0.1,
    sample: {
      post: {
        id: `p${i}`,
        text: '',
        author,
        source: 's',
        collection: 'c',
        language: 'en',
        createdAt: i * HOUR_MS,
      },
      label,
      people: 1,
      disputed: false,
      at: i,
    },
    ...rest,
  };
};
const sort = (suspects: readonly Suspect[], most = 5): Sorted =>
  sortSamples(suspects, trusted, { ...HYGIENE_DEFAULTS, most });
const reasons = ({ quarantined }: Sorted): string[] => quarantined.map(({ reason }) => reason);

describe('hygiene', () => {
  it('lets good samples in', () => {
    const sorted = sort([suspect(0), suspect(1, { truth: 0 })]);
    expect(sorted.admitted.map(({ post }) => post.id)).toEqual(['p0', 'p1']);
    expect(sorted.quarantined).toEqual([]);
  });

  it('finds flipped labels by their neighbours and leaves the right ones', () => {
    const all = Array.from({ length: 100 }, (_, i) => {
      const truth = (i % 2) as 0 | 1;
      return suspect(i, { truth, label: i % 10 < 3 ? ((1 - truth) as 0 | 1) : truth });
    });
    const sorted = sort(all);
    expect(sorted.quarantined).toHaveLength(30);
    expect(new Set(reasons(sorted))).toEqual(new Set(['neighbours']));
    expect(sorted.admitted).toHaveLength(70);
  });

  it('gives one author, authors without a name together, and one hour of a source their share and no more', () => {
    const oneAuthor = Array.from({ length: 40 }, (_, i) => suspect(i, { author: 'flood' }));
    const others = Array.from({ length: 60 }, (_, i) => suspect(100 + i));
    const sorted = sort([...oneAuthor, ...others]);
    expect(sorted.admitted.filter(({ post }) => post.author === 'flood')).toHaveLength(5);
    expect(reasons(sorted)).toEqual(new Array(35).fill('author_share'));

    expect(sort(Array.from({ length: 9 }, (_, i) => suspect(i, { author: null }))).admitted).toHaveLength(5);

    const oneHour = Array.from({ length: 9 }, (_, i) => {
      const one = suspect(i);
      return { ...one, sample: { ...one.sample, post: { ...one.sample.post, createdAt: i } } };
    });
    expect(reasons(sort(oneHour))).toEqual(new Array(4).fill('hour_share'));
  });

  it('keeps out losses that no seed has, what judges models, repeats, disputes and texts without known words', () => {
    const cases: [Partial<Suspect>, string][] = [
      [{ loss: 9 }, 'loss'],
      [{ heldOut: true }, 'holdout'],
      [{ message: 'seed 3' }, 'duplicate'],
      [{ sample: { ...suspect(0).sample, disputed: true } }, 'disputed'],
      [{ known: false }, 'no_words'],
    ];
    for (const [more, reason] of cases) expect(reasons(sort([suspect(0, more)]))).toEqual([reason]);
    expect(reasons(sort([suspect(0), suspect(1, { message: 'message 0' })]))).toEqual(['duplicate']);
  });

  it("takes two people's word against neighbours and the champion", () => {
    const doubted = suspect(0, { label: 0, loss: 9 });
    expect(reasons(sort([doubted]))).toEqual(['neighbours']);
    expect(sort([{ ...doubted, sample: { ...doubted.sample, people: 2 } }]).admitted).toHaveLength(1);
  });

  it('without seeds asks nobody, and the shares hold', () => {
    const all = Array.from({ length: 9 }, (_, i) => suspect(i, { author: 'one', loss: 9 }));
    const sorted = sortSamples(all, [], { ...HYGIENE_DEFAULTS, most: 5 });
    expect(sorted.admitted).toHaveLength(5);
  });
});
