/**
 * A small world for the gate: invented posts of common words, and MMNs that are really trained on them in seconds,
 * exported and written as the artefacts that serve. What is poisoned is poisoned in the training posts.
 */
import { join } from 'node:path';
import type { Posts, Victim } from '../../src/adversarial/attack.ts';
import { createVictim } from '../../src/adversarial/victim.ts';
import { buildWordSpace, type WordSpace } from '../../src/adversarial/word-space.ts';
import { silentLog } from '../../src/base/log.ts';
import { seededRandom } from '../../src/base/random.ts';
import { judgeCandidate } from '../../src/judge/judge.ts';
import type { JudgeOptions } from '../../src/judge/options.ts';
import type { Verdict } from '../../src/judge/verdict.ts';
import type { Artefact } from '../../src/models/artefact.ts';
import type { Tf } from '../../src/models/engine/tf.ts';
import type { Manifest, ServedClass } from '../../src/models/manifest.ts';
import type { Reading } from '../../src/models/port.ts';
import { loadVocabulary, loadWordVectors, MAX_WORDS, WORD_DIMENSIONS } from '../../src/models/words.ts';
import type { Head, Network } from '../../src/models/zoo/contract.ts';
import { buildMmn, MMN_DEFAULTS } from '../../src/models/zoo/mmn.ts';
import { openNetwork } from '../../src/models/zoo/open.ts';
import type { Dataset, Example } from '../../src/training/dataset.ts';
import { onTheFly, staticPosts, wordTable } from '../../src/training/defences.ts';
import { calibrate } from '../../src/training/measure.ts';
import { mixWeights, weightsOf } from '../../src/training/mix-weights.ts';
import { TASKS, type Task, targetOf } from '../../src/training/tasks.ts';
import { predict, TRAINING_DEFAULTS, train } from '../../src/training/train.ts';
import { createManualClock } from './manual-clock.ts';
import { writeTestArtefact } from './test-artefact.ts';

/** Words that speak for a class; the last list for none. */
const SAYS: Readonly<Record<string, readonly string[]>> = {
  affected_people: ['killed', 'injured', 'dead', 'missing', 'victims', 'wounded', 'homeless', 'survivors'],
  infrastructure_damage: ['bridge', 'roads', 'collapsed', 'electricity', 'buildings', 'damage', 'closed'],
  aid: ['donate', 'volunteers', 'shelter', 'blood', 'relief', 'food', 'blankets', 'needed'],
  nothing: ['coffee', 'birthday', 'movie', 'song', 'pizza', 'friends', 'game', 'shoes', 'dance', 'party'],
};
const CLASSES = ['affected_people', 'infrastructure_damage', 'aid'] as const;
const FILLER = [
  'the',
  'today',
  'in',
  'a',
  'and',
  'near',
  'my',
  'of',
  'on',
  'this',
  'at',
  'with',
  'city',
  'we',
];
const EVENTS = ['river flood', 'night train', 'old harbour'];

/** Every word that posts are made of. */
const ALL = [...Object.values(SAYS).flat(), ...FILLER];

/** Invented posts: three words of the class (one in ten of another), among common ones. */
export function judgePosts(count: number, seed: number): Example[] {
  const random = seededRandom(seed);
  const any = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  return Array.from({ length: count }, (_, i) => {
    const kind = random() < 0.5 ? 'nothing' : any(CLASSES);
    const other = random() < 0.5 ? 'nothing' : any(CLASSES);
    const words = [0, 1, 2].flatMap(() => [
      any(SAYS[random() < 0.1 ? other : kind] as readonly string[]),
      any(FILLER),
      any(FILLER),
    ]);
    return {
      id: `${seed}-${i}`,
      post: `${seed}-${i}`,
      event: EVENTS[i % EVENTS.length] as string,
      createdAt: null,
      text: words.join(' '),
      language: i % 4 === 0 ? 'es' : 'en',
      author: null,
      picture: null,
      media: [],
      claim: null,
      published: {},
      labels: {
        informative: kind === 'nothing' ? 0 : 1,
        humanitarian: kind === 'nothing' ? [] : [kind as (typeof CLASSES)[number]],
      },
    };
  });
}

export const vaultOf = (task: 'informative' | 'humanitarian', examples: readonly Example[]): Dataset => ({
  name: 'invented vault',
  licence: 'Apache-2.0',
  task,
  classes: task === 'informative' ? TASKS.informative.classes : CLASSES,
  weak: null,
  examples,
  sha256: 'a'.repeat(64),
  left: {},
  pictureProblems: {},
});

export interface Candidate {
  readonly task?: 'informative' | 'humanitarian';
  readonly train: readonly Example[];
  readonly seed: number;
  readonly epochs?: number;
  readonly learningRate?: number;
  /** `memorise`: one crafted copy of each post, crafted on that model alone (MMAT, Algorithm 1). */
  readonly defence?: 'on-the-fly' | { readonly memorise: Artefact };
  /** Continue from its weights. */
  readonly from?: Artefact;
  /** How far to go from the first weights to the trained ones; all the way where left out. */
  readonly share?: number;
  /** How it reads words, where not as the shipped models do; without a defence alone. */
  readonly reading?: Reading;
  readonly manifest?: (manifest: Manifest) => Manifest;
}

/** Neighbours of the words of this world, and of those. */
export function judgeSpace(tf: Tf): WordSpace {
  const vocabulary = loadVocabulary();
  const wanted = ALL.flatMap((word) => [...vocabulary.encode(word)]);
  const { neighbours, n } = buildWordSpace(tf, loadWordVectors(), WORD_DIMENSIONS, 10, wanted);
  const second = wanted.flatMap((id) => [...neighbours.subarray(id * n, (id + 1) * n)]);
  return buildWordSpace(tf, loadWordVectors(), WORD_DIMENSIONS, 10, [...wanted, ...second]);
}

/** Trains, calibrates on posts of its own, and writes. */
export async function trainCandidate(
  tf: Tf,
  space: WordSpace,
  folder: string,
  name: string,
  candidate: Candidate,
): Promise<Artefact> {
  const {
    task = 'informative',
    seed,
    defence,
    from,
    share = 1,
    epochs = 12,
    learningRate = 3e-3,
  } = candidate;
  const head: Head = { kind: 'sigmoid', outputs: task === 'informative' ? 1 : CLASSES.length };
  const { encode } = loadVocabulary(candidate.reading);
  const postsOf = (examples: readonly Example[]): Posts => {
    const words = new Int32Array(examples.length * MAX_WORDS);
    examples.forEach(({ text }, i) => {
      words.set(encode(text), i * MAX_WORDS);
    });
    return {
      count: examples.length,
      texts: examples.map(({ text }) => text),
      words,
      pixels: null,
      labels: Float32Array.from(examples.flatMap((example) => outputsOf(example, task))),
    };
  };
  const victimOf = (network: Network): Victim =>
    createVictim(tf, { network, head, columns: ['words'], space, encode });
  const network = from ? openNetwork(tf, from).network : buildMmn(tf, MMN_DEFAULTS, head, seed);
  const first = weightsOf(network);
  const twin = typeof defence === 'object' ? openNetwork(tf, defence.memorise).network : null;
  try {
    const posts = postsOf(candidate.train);
    const dev = judgePosts(400, 99);
    const devPosts = postsOf(dev);
    const tableOf = ({ words, labels }: Posts) => wordTable(space.vectors, words, labels);
    await train(
      tf,
      network,
      head,
      { train: tableOf(twin ? staticPosts(tf, victimOf(twin), posts, 0) : posts), dev: tableOf(devPosts) },
      { ...TRAINING_DEFAULTS, seed, maxEpochs: epochs, patience: epochs, learningRate },
      {
        checkpoints: null,
        report: () => {},
        ...(defence === 'on-the-fly'
          ? {
              craft: onTheFly({ tf, network, head, columns: ['words'], victim: victimOf(network) }, posts, 0),
            }
          : {}),
      },
    );
    if (share < 1) mixWeights(tf, network, first, weightsOf(network), share);
    const logits = predict(tf, network, head, tableOf(devPosts).table);
    const calibrations = Array.from({ length: head.outputs }, (_, k) =>
      calibrate(
        dev.map((_, i) => logits[i * head.outputs + k] as number),
        dev.map((example) => (outputsOf(example, task)[k] === 1 ? 1 : 0)),
      ),
    );
    const calibrated = calibrations.map((text) => ({ text, image: null, both: null }));
    return await writeTestArtefact(tf, network, join(folder, name), {
      image: 'untrained',
      head,
      ...(candidate.reading ? { reading: candidate.reading } : {}),
      manifest: (written) => {
        const told: Manifest = {
          ...written,
          name,
          task,
          thresholds: { name: 'test', yes: 0.6, no: 0.4 },
          ...(task === 'informative'
            ? { calibration: calibrated[0] as Manifest['calibration'] }
            : {
                calibration: { text: null, image: null, both: null },
                classes: CLASSES.map(
                  (label, k): ServedClass => ({
                    name: label,
                    calibration: calibrated[k] as Manifest['calibration'],
                    yes: 0.5,
                    no: 0.2,
                  }),
                ),
              }),
        };
        return candidate.manifest ? candidate.manifest(told) : told;
      },
    });
  } finally {
    network.dispose();
    twin?.dispose();
  }
}

/** Zeros and ones as the head has them. */
function outputsOf({ labels }: Example, task: Extract<Task, 'informative' | 'humanitarian'>): number[] {
  return task === 'informative'
    ? [labels.informative as number]
    : (targetOf(labels, task, CLASSES) as number[]);
}

export interface Asked {
  readonly candidate: Artefact;
  readonly champion: Artefact;
  readonly reference?: Artefact;
  readonly vault: Dataset;
  readonly options: JudgeOptions;
  /** Latency of the candidate over the champion's, turn by turn. */
  readonly ratio?: number;
}

/** What the gate says; no model of this world has an encoder. */
export const verdictOn = (
  tf: Tf,
  { candidate, champion, reference, vault, options, ratio = 1 }: Asked,
): Promise<Verdict> =>
  judgeCandidate(
    { candidate, champion, reference: reference ?? null, vault, mustPass: null, options },
    {
      tf,
      clock: createManualClock(),
      seed: 1,
      log: silentLog,
      openEncoder: () => Promise.reject(new Error('no model here has an encoder')),
      latency: async () => ({ candidate: [ratio], champion: [1] }),
    },
  );

/** Names of the checks that failed, each once. */
export const failed = ({ checks }: Verdict): string[] => [
  ...new Set(checks.filter(({ passed }) => !passed).map(({ name }) => name)),
];

/** The posts, a share of them with the wrong answer. */
export function flipped(posts: readonly Example[], share: number): Example[] {
  const random = seededRandom(5);
  return posts.map((post) =>
    random() < share
      ? { ...post, labels: { ...post.labels, informative: post.labels.informative === 1 ? 0 : 1 } }
      : post,
  );
}
