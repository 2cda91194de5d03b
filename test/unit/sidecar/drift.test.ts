/**
 * False alarms and delays of the drift detector on made streams: posts of ten words, half of them of the post's kind of
 * disaster and half of everyday life, real word vectors, scores by kind. These are the figures of docs/operations.md.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { type Random, seededRandom } from '../../../src/base/random.ts';
import { loadVocabulary, loadWordVectors, WORD_DIMENSIONS } from '../../../src/models/words.ts';
import {
  createDriftDetector,
  type DriftDetector,
  type Observed,
  projectWords,
} from '../../../src/sidecar/drift.ts';

const EVERYDAY =
  'the a of to and we i you it is are my not now today people here this that with for on so have just please all near been was';
const KINDS = {
  flood:
    'flood water river rain dam bridge boat levee rising evacuate submerged sandbags basement drown rescue overflow',
  fire: 'wildfire fire smoke burning acres firefighters hectares blaze contained evacuation flames homes wind forest ash ridge',
  quake:
    'earthquake magnitude aftershock tremor collapsed rubble buildings epicenter shaking survivors buried trapped richter seismic quake injured',
  crash:
    'train derailment crash carriages passengers killed injured driver rail speed investigation wreck victims ambulance hospital tracks',
} as const;
const NEW_KIND =
  'volcano eruption lava ash plume crater volcanic cone magma airport flights masks sulphur erupted alert slopes';
const SEEDS = Array.from({ length: 20 }, (_, i) => i + 1);

let projected: Float32Array;
let everyday: number[];
let kinds: number[][];
let newKind: number[];

beforeAll(() => {
  const vocabulary = loadVocabulary();
  const rows = (words: string): number[] =>
    words.split(' ').map((word) => vocabulary.encode(word)[0] as number);
  projected = projectWords(loadWordVectors(), WORD_DIMENSIONS);
  everyday = rows(EVERYDAY);
  kinds = Object.values(KINDS).map(rows);
  newKind = rows(NEW_KIND);
});

const pick = <T>(from: readonly T[], random: Random): T => from[Math.floor(random() * from.length)] as T;

/** A post of a kind whose scores lie around `logit`. */
function post(words: readonly number[], logit: number, random: Random, out: Int32Array): Observed {
  for (let i = 0; i < 10; i += 1) out[i] = pick(random() < 0.5 ? words : everyday, random);
  const noise = random() + random() + random() + random() - 2;
  const probability = 1 / (1 + Math.exp(-(logit + 2 * noise)));
  return {
    decision: probability >= 0.63 ? 'yes' : probability <= 0.34 ? 'no' : 'unsure',
    probability,
    words: out,
  };
}

const usual = (random: Random, out: Int32Array): Observed => {
  const kind = Math.floor(random() * kinds.length);
  return post(kinds[kind] as number[], kind - 1.5, random, out);
};

/** Events after the change until the alarm; null when there is none within 5,000. */
function delayOf(detector: DriftDetector, next: () => Observed): number | null {
  for (let at = 1; at <= 5_000; at += 1) if (detector.observe(next())) return at;
  return null;
}

function delays(changed: (random: Random, out: Int32Array) => Observed): number[] {
  return SEEDS.map((seed) => {
    const random = seededRandom(1_000 + seed);
    const out = new Int32Array(15);
    const detector = createDriftDetector(projected);
    for (let i = 0; i < 12_000; i += 1) detector.observe(usual(random, out));
    return delayOf(detector, () => changed(random, out)) ?? Number.POSITIVE_INFINITY;
  }).sort((a, b) => a - b);
}

function told(what: string, sorted: readonly number[]): void {
  process.stderr.write(`drift: ${what}: median ${sorted[10]}, worst ${sorted.at(-1)} events\n`);
}

describe('the drift detector', () => {
  it('gives at most one false alarm per 100,000 stationary events over 20 seeds', () => {
    let alarms = 0;
    for (const seed of SEEDS) {
      const random = seededRandom(seed);
      const out = new Int32Array(15);
      const detector = createDriftDetector(projected);
      for (let i = 0; i < 110_000; i += 1) if (detector.observe(usual(random, out))) alarms += 1;
    }
    process.stderr.write(`drift: ${alarms} false alarms in ${SEEDS.length} × 100,000 events\n`);
    expect(alarms).toBeLessThanOrEqual(SEEDS.length);
  });

  it('sees a new kind of disaster within 2,000 events, although its scores are the old ones', () => {
    const half = delays((random, out) =>
      random() < 0.5 ? usual(random, out) : post(newKind, pick([-1.5, -0.5, 0.5, 1.5], random), random, out),
    );
    told('half of the stream is of a new kind', half);
    expect(half.at(-1)).toBeLessThanOrEqual(2_000);
    const fifth = delays((random, out) =>
      random() < 0.8 ? usual(random, out) : post(newKind, pick([-1.5, -0.5, 0.5, 1.5], random), random, out),
    );
    told('a fifth of the stream is of a new kind', fifth);
    expect(fifth.at(-1)).toBeLessThanOrEqual(2_000);
  });

  it('sees another mix of answers over the same words', () => {
    const shifted = delays((random, out) => {
      const kind = Math.floor(random() * kinds.length);
      return post(kinds[kind] as number[], kind - 0.75, random, out);
    });
    told('scores shifted by .75 of a logit', shifted);
    expect(shifted.at(-1)).toBeLessThanOrEqual(2_000);
  });

  it('learns the new state after an alarm and is quiet again', () => {
    const random = seededRandom(7);
    const out = new Int32Array(15);
    const detector = createDriftDetector(projected);
    for (let i = 0; i < 12_000; i += 1) detector.observe(usual(random, out));
    const next = (): Observed => post(newKind, 0, random, out);
    expect(delayOf(detector, next)).not.toBeNull();
    let alarms = 0;
    for (let i = 0; i < 20_000; i += 1) if (detector.observe(next())) alarms += 1;
    expect(alarms).toBe(0);
  });
});
