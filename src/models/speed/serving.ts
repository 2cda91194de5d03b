/**
 * What serving costs beside the network: posts per second through the scorer (threads, word table, calibration) against a
 * bare loop of ONNX Runtime over ready tensors. One scoring thread, one ONNX Runtime thread.
 */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Clock } from '../../base/clock.ts';
import { silentLog } from '../../base/log.ts';
import { seededRandom } from '../../base/random.ts';
import { createMetrics } from '../../metrics/metrics.ts';
import { ARTEFACT_FILES, loadArtefact } from '../artefact.ts';
import type { ScoreInput } from '../port.ts';
import { openScorer } from '../serving/scorer.ts';
import { MAX_WORDS, WORD_DIMENSIONS } from '../words.ts';
import { PICTURE_SIDE } from '../zoo/branches.ts';
import { type Spread, spread, takeTurns } from './rates.ts';

/** Posts in one call of the scorer: a full slice. */
const BATCH = 256;
/** Calls in one step, and how many of them are under way at once, as tasks of several partitions have them. */
const CALLS = 8;
const IN_FLIGHT = 2;
/** Rows in one run of the bare loop: the sizes that are fastest for it. */
const BARE_BATCH = { text: 64, joint: 16 } as const;
const PIXELS = PICTURE_SIDE * PICTURE_SIDE * 3;

export interface ServingSpeed {
  readonly samplesPerSecond: Spread;
  readonly bareSamplesPerSecond: Spread;
  /** Scorer ÷ bare loop, turn by turn. */
  readonly ratio: Spread;
}

/** Measures the text graph of an MMN artefact or, where its picture branch is trained, the joint one. */
export async function servingSpeed(
  dir: string,
  graph: 'text' | 'joint',
  turns: number,
  secondsPerTurn: number,
  clock: Clock,
): Promise<ServingSpeed> {
  const random = seededRandom(1);
  const floats = (length: number): Float32Array => Float32Array.from({ length }, () => random() - 0.5);
  /** A row as a text would have it: the table is ordered by frequency, and words follow Zipf's law. */
  const zipf = (): number => Math.floor(Math.exp(random() * Math.log(50_000)));
  const withPicture = graph === 'joint';
  const posts: ScoreInput[] = Array.from({ length: BATCH }, () => ({
    words: Int32Array.from({ length: MAX_WORDS }, zipf),
    pixels: withPicture ? Uint8Array.from({ length: PIXELS }, () => Math.floor(256 * random())) : null,
  }));
  const rows = BARE_BATCH[graph];
  const feeds: Record<string, Tensor> = {
    words: new Tensor('float32', floats(rows * MAX_WORDS * WORD_DIMENSIONS), [
      rows,
      MAX_WORDS,
      WORD_DIMENSIONS,
    ]),
    ...(withPicture
      ? { pictures: new Tensor('float32', floats(rows * PIXELS), [rows, PICTURE_SIDE, PICTURE_SIDE, 3]) }
      : {}),
  };
  const scorer = await openScorer({
    dir,
    threads: 1,
    metrics: createMetrics({ bare: true }),
    log: silentLog,
  });
  const session = await InferenceSession.create((await loadArtefact(dir)).bytes(ARTEFACT_FILES[graph]), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
  });
  try {
    const [scored, bare] = (await takeTurns(
      [
        { samples: CALLS * BATCH, step: callAtOnce(() => scorer.score(posts)) },
        { samples: rows, step: () => session.run(feeds) },
      ],
      turns,
      secondsPerTurn,
      clock,
    )) as [number[], number[]];
    return {
      samplesPerSecond: spread(scored),
      bareSamplesPerSecond: spread(bare),
      ratio: spread(scored.map((rate, turn) => rate / (bare[turn] as number))),
    };
  } finally {
    await session.release();
    await scorer.close();
  }
}

/** A step of CALLS calls, IN_FLIGHT at a time. */
const callAtOnce = (call: () => Promise<unknown>) => async (): Promise<void> => {
  let left = CALLS;
  const caller = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await call();
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, caller));
};
