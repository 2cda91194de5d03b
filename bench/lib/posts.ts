/** Synthetic load: posts with words of natural frequency, so that nothing clusters that should not. */
import { type Random, seededRandom } from '../../src/base/random.ts';
import type { Codec } from '../../src/bus/codec.ts';
import { message, NO_LINEAGE } from '../../src/bus/messages.ts';
import type { OutgoingRecord } from '../../src/bus/port.ts';
import { TOPICS } from '../../src/bus/topics.ts';
import type { Media } from '../../src/event/records.ts';

const COMMON =
  'the a to of and in is on for at with from are was by this that it as be have flood water road bridge fire storm help need people rescue power closed open now please near river school hospital update shelter police army damage earthquake wind rain city north south east west street house family safe missing found volunteers donate supplies food medicine evacuation warning alert official report morning tonight yesterday hours minutes km miles'.split(
    ' ',
  );

/** A made-up word, the same for the same number. */
const rare = (n: number): string => {
  let word = '';
  for (let x = n + 11; x > 0; x = Math.floor(x / 17))
    word += 'bcdfghjklmnprstvz'[x % 17] + ('aeiou'[x % 5] ?? 'a');
  return word;
};

/** About 90 characters; every fourth word is one that few other posts have. */
export function syntheticText(random: Random): string {
  const words: string[] = [];
  const length = 10 + Math.floor(random() * 8);
  for (let i = 0; i < length; i += 1)
    words.push(
      random() < 0.25
        ? rare(Math.floor(random() * 200_000))
        : (COMMON[Math.floor(random() ** 2 * COMMON.length)] as string),
    );
  return words.join(' ');
}

export interface LoadOptions {
  readonly count: number;
  readonly seed: number;
  readonly prefix: string;
  readonly now: number;
  /** Pictures of post i. */
  readonly media?: (i: number) => readonly Media[];
}

/** PostEvents ready to be produced. */
export function* syntheticPosts(codec: Codec, options: LoadOptions): Generator<OutgoingRecord> {
  const random = seededRandom(options.seed);
  for (let i = 0; i < options.count; i += 1) {
    const id = `${options.prefix}-${i}`;
    yield message(
      codec,
      TOPICS.events,
      {
        kind: 'PostEvent',
        id,
        collection: `bench-${i % 6}`,
        source: 'bench',
        text: syntheticText(random),
        createdAt: options.now + i,
        receivedAt: options.now,
        language: null,
        authorHash: Math.floor(random() * 1e9)
          .toString(16)
          .padStart(32, '0'),
        place: null,
        media: options.media?.(i) ?? [],
        picturesApart: false,
        synthetic: true,
      },
      { key: id, id, source: 'bench', time: options.now + i, lineage: NO_LINEAGE },
    );
  }
}

/** Cuts a sequence into arrays of at most `size`. */
export function* chunks<T>(items: Iterable<T>, size: number): Generator<T[]> {
  let chunk: T[] = [];
  for (const item of items) {
    chunk.push(item);
    if (chunk.length === size) {
      yield chunk;
      chunk = [];
    }
  }
  if (chunk.length > 0) yield chunk;
}
