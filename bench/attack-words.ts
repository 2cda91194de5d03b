/**
 * Word replacement (MMAT Eq. 2, ten neighbours) on 1,000 posts against the shipped network, on every tensor backend that is
 * here, each in a process of its own. Prints one JSON object. Run: node --import tsx bench/attack-words.ts [seconds per figure]
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Posts } from '../src/adversarial/attack.ts';
import { createVictim } from '../src/adversarial/victim.ts';
import { buildWordSpace } from '../src/adversarial/word-space.ts';
import { WORD_DEFAULTS, wordReplacement } from '../src/adversarial/words.ts';
import { systemClock } from '../src/base/clock.ts';
import { machine } from '../src/base/machine.ts';
import { seededRandom } from '../src/base/random.ts';
import { cacheDir } from '../src/config/cache.ts';
import { loadArtefact } from '../src/models/artefact.ts';
import { type BackendName, probeBackends } from '../src/models/engine/backends.ts';
import { describeEngine, openEngine } from '../src/models/engine/engine.ts';
import { spread, takeTurns } from '../src/models/speed/rates.ts';
import { loadWordVectors, MAX_WORDS, readingOf, WORD_DIMENSIONS } from '../src/models/words.ts';
import { openNetwork } from '../src/models/zoo/open.ts';
import { CHAMPION_DIR } from '../src/registry/champions.ts';
import { round } from './lib/machine.ts';

const SECONDS = Number(process.argv[2] ?? 2);
const BACKEND = process.argv[3];
const POSTS = 1_000;
const TURNS = 5;
/** Words of a crisis tweet that the table knows: about ten of fifteen (models.md §1.2). */
const KNOWN = 10;

/** Posts of frequent words: the table is sorted by frequency. */
function drawPosts(rows: number): Posts {
  const random = seededRandom(1);
  const words = new Int32Array(POSTS * MAX_WORDS);
  for (let i = 0; i < POSTS; i += 1)
    for (let k = 0; k < KNOWN; k += 1) words[i * MAX_WORDS + k] = 1 + Math.floor(random() ** 3 * (rows - 1));
  return {
    count: POSTS,
    texts: new Array<string>(POSTS).fill(''),
    words,
    pixels: null,
    labels: Float32Array.from({ length: POSTS }, (_, i) => i % 2),
  };
}

async function measure(backend: BackendName) {
  const tf = await openEngine({ backend });
  const artefact = await loadArtefact(CHAMPION_DIR);
  const { network } = openNetwork(tf, artefact);
  const vectors = loadWordVectors(readingOf(artefact.manifest.words?.id));
  const posts = drawPosts(vectors.length / WORD_DIMENSIONS);
  const began = systemClock.monotonic();
  const space = buildWordSpace(tf, vectors, WORD_DIMENSIONS, WORD_DEFAULTS.candidates, posts.words);
  const neighbourSeconds = (systemClock.monotonic() - began) / 1_000;
  const { head } = artefact.manifest.architecture;
  const encode = (): Int32Array => new Int32Array(MAX_WORDS);
  const victim = createVictim(tf, { network, head, columns: ['words'], space, encode });
  const attack = wordReplacement(tf);
  const [attacks, gradients, forwards] = (await takeTurns(
    [
      { samples: 1, step: () => attack.generate(victim, posts, seededRandom(1)) },
      { samples: 1, step: () => victim.gradient(posts) },
      { samples: 1, step: () => victim.logits(posts) },
    ],
    TURNS,
    SECONDS / TURNS,
    systemClock,
  )) as [number[], number[], number[]];
  const seconds = (rates: number[]): object => spread(rates.map((rate) => 1 / rate));
  const middle = (rates: number[]): number => spread(rates).median;
  const swaps = attack.generate(victim, posts, seededRandom(1)).audit.reduce((n, a) => n + a.swaps.length, 0);
  return {
    engine: describeEngine(tf),
    secondsPer1000: seconds(attacks),
    gradientSeconds: seconds(gradients),
    forwardSeconds: seconds(forwards),
    timesForward: round(middle(forwards) / middle(attacks), 1),
    wordsReplaced: round(swaps / (POSTS * KNOWN), 3),
    neighbourSeconds: round(neighbourSeconds, 2),
    distinctWords: new Set(posts.words).size - 1,
  };
}

if (BACKEND) process.stdout.write(`${JSON.stringify(await measure(BACKEND as BackendName))}\n`);
else {
  const backends = probeBackends(cacheDir()).filter(
    ({ present, name }) => present && name !== 'tfjs-node-gpu',
  );
  const engines = backends.map(({ name }) => {
    const args = ['--import', 'tsx', fileURLToPath(import.meta.url), String(SECONDS), name];
    const run = spawnSync(process.execPath, args, { encoding: 'utf8' });
    if (run.status !== 0) throw new Error(run.stderr);
    return JSON.parse(run.stdout.trim().split('\n').at(-1) as string) as object;
  });
  process.stdout.write(
    `${JSON.stringify({ machine: machine(), posts: POSTS, candidates: WORD_DEFAULTS.candidates, engines })}\n`,
  );
}
process.exit(0);
