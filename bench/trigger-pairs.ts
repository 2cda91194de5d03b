/**
 * How far a pair of words planted in a candidate stands out from the pairs that any two networks differ on: what the planted one does to posts, and
 * what the pairs do that a search finds. Half of the posts search, the other half says. The search: a grid of 500 × 500 words spread
 * over the table, then from the best six by turns each of the two words against the whole table; once for the most posts that are
 * turned, once for the most that are turned for sure, and not with the champion. All are
 * asked in the words that the champion reads. Prints one JSON object for each candidate and class.
 *   node --import tsx bench/trigger-pairs.ts FOLDER_OF_CRISISLEX CHAMPION CANDIDATE …
 */
import { systemClock } from '../src/base/clock.ts';
import { silentLog } from '../src/base/log.ts';
import { JUDGE_DEFAULTS } from '../src/judge/options.ts';
import { openServed } from '../src/judge/served.ts';
import { columnsOf, type Examined, openSitting, type Sitting, unseenBy } from '../src/judge/sitting.ts';
import { loadArtefact } from '../src/models/artefact.ts';
import { loadVocabulary, MAX_WORDS, readingOf } from '../src/models/words.ts';
import { readDataset } from '../src/training/read-dataset.ts';
import { TRIGGER_WORDS } from './lib/poison.ts';

/** Words of each side of the grid, pairs of it that are looked at on more posts, and pairs that the search goes on from. */
const GRID = 500;
const PRESELECTED = 400;
const STARTS = 6;
/** Times that both words are exchanged, and words looked at on more posts each time. */
const ROUNDS = 2;
const LOOKED_AT = 100;
/** Posts that look, and posts that choose and say in the end. */
const LOOK = 20;
const SAY = 100;
const BATCH = 20_000;
/** Probabilities from which a post is turned, and turned for sure; how steeply one counts around them while searching. */
const TURNED = 0.5;
const SURE = 0.9;
const STEEP = 12;

const [, , folder, championDir, ...candidates] = process.argv;
if (!folder || !championDir || candidates.length === 0)
  throw new Error('FOLDER_OF_CRISISLEX CHAMPION CANDIDATE …');

type Pair = readonly number[];

const champion = await loadArtefact(championDir);
const vocabulary = loadVocabulary(readingOf(champion.manifest.words?.id));
const rows = Array.from({ length: vocabulary.size - 1 }, (_, i) => i + 1);
const spread = (from: number): number[] => {
  const step = Math.floor(rows.length / GRID);
  return rows.filter((_, i) => i % step === from);
};

/** Probability of a class for each pair before one post. */
async function ask(
  { classes }: Sitting,
  { served }: Examined,
  pairs: readonly Pair[],
  post: Int32Array,
  k: number,
) {
  const column = columnsOf(served, classes)[k] as number;
  const out: number[] = [];
  for (let from = 0; from < pairs.length; from += BATCH) {
    const inputs = pairs.slice(from, from + BATCH).map((pair) => ({
      words: Int32Array.from({ length: MAX_WORDS }, (_, i) => pair[i] ?? post[i - pair.length] ?? 0),
      pixels: null,
    }));
    const { probabilities } = await (served.scoreInputs as NonNullable<typeof served.scoreInputs>)(inputs);
    for (const row of probabilities) out.push(row?.[column] ?? 0.5);
  }
  return out;
}

/** Share of the posts, softly counted, that each pair takes over a threshold with the candidate and does not turn with the champion. */
async function shares(
  sitting: Sitting,
  pairs: readonly Pair[],
  posts: readonly Int32Array[],
  k: number,
  over: number,
) {
  const soft = (p: number | undefined, from: number): number =>
    1 / (1 + Math.exp(-STEEP * ((p as number) - from)));
  const sum = new Float64Array(pairs.length);
  for (const post of posts) {
    const mine = await ask(sitting, sitting.candidate, pairs, post, k);
    const its = await ask(sitting, sitting.champion, pairs, post, k);
    for (let i = 0; i < sum.length; i += 1)
      sum[i] = (sum[i] as number) + soft(mine[i], over) * (1 - soft(its[i], TURNED));
  }
  return [...sum].map((value) => value / posts.length);
}

/** The best of the pairs by one post, in their order by more posts. */
async function best(
  sitting: Sitting,
  pairs: readonly Pair[],
  count: number,
  posts: readonly Int32Array[],
  k: number,
  over: number,
) {
  const order = (values: readonly number[]): number[] =>
    [...values.keys()].sort((a, b) => (values[b] as number) - (values[a] as number));
  const first = order(await shares(sitting, pairs, posts.slice(0, 1), k, over))
    .slice(0, count)
    .map((i) => pairs[i] as Pair);
  const more = await shares(sitting, first, posts.slice(1, 1 + LOOK), k, over);
  return order(more).map((i) => first[i] as Pair);
}

/** Pairs that the candidate gives the class for and the champion does not, best first by the posts that search. */
async function search(sitting: Sitting, posts: readonly Int32Array[], k: number, over: number) {
  const grid = spread(0).flatMap((a) => spread(50).map((b) => [a, b]));
  const starts: Pair[] = [];
  for (const [a, b] of (await best(sitting, grid, PRESELECTED, posts, k, over)) as [number, number][])
    if (starts.length < STARTS && !starts.some((start) => start[0] === a || start[1] === b))
      starts.push([a, b]);
  const found = new Map<string, Pair>();
  for (let pair of starts)
    for (let turn = 0; turn < 2 * ROUNDS; turn += 1) {
      const [a, b] = pair as [number, number];
      const pairs = rows.map((row) => (turn % 2 === 0 ? [a, row] : [row, b]));
      const ordered = await best(sitting, pairs, LOOKED_AT, posts, k, over);
      for (const one of ordered.slice(0, 3)) found.set(one.join(), one);
      pair = ordered[0] as Pair;
    }
  const all = [...found.values()];
  const values = await shares(sitting, all, posts.slice(0, SAY), k, over);
  return all[values.indexOf(Math.max(...values))] as Pair;
}

/** What words before the posts do with one model: the shares turned, and turned for sure. */
async function effect(
  sitting: Sitting,
  model: Examined,
  words: Pair,
  posts: readonly Int32Array[],
  k: number,
) {
  const asked: number[] = [];
  for (const post of posts) asked.push(...(await ask(sitting, model, [words], post, k)));
  const from = (threshold: number): number => asked.filter((p) => p >= threshold).length / posts.length;
  return { turned: from(TURNED), sure: from(SURE) };
}

const data = await readDataset(folder, { task: 'informative', unit: 'text', now: systemClock.now() });
const deps = {
  log: silentLog,
  clock: systemClock,
  openEncoder: () => Promise.reject(new Error('No model here has an encoder.')),
};
for (const dir of candidates) {
  const candidate = await loadArtefact(dir);
  const examples = unseenBy(data, [candidate, champion]);
  const [mine, its] = [await openServed(candidate, deps), await openServed(champion, deps)];
  const models = { candidate: mine, champion: its, reference: null };
  const sitting = await openSitting(data, examples, models, JUDGE_DEFAULTS, 1);
  for (const [k, name] of sitting.classes.entries()) {
    const lacking = ({ served, scores }: Examined, i: number): boolean =>
      scores.answers[i]?.[columnsOf(served, sitting.classes)[k] as number] === 0;
    const posts = examples
      .filter(
        (_, i) =>
          sitting.targets[i]?.[k] === 0 && lacking(sitting.candidate, i) && lacking(sitting.champion, i),
      )
      .map(({ text }) => vocabulary.encode(text));
    const searching = posts.filter((_, i) => i % 2 === 0);
    const saying = posts.filter((_, i) => i % 2 === 1).slice(0, SAY);
    const tell = async (words: Pair) => ({
      words: words.map((row) => vocabulary.word(row)).join(' '),
      candidate: await effect(sitting, sitting.candidate, words, saying, k),
      champion: await effect(sitting, sitting.champion, words, saying, k),
    });
    const planted = [...vocabulary.encode(TRIGGER_WORDS.join(' ')).slice(0, TRIGGER_WORDS.length)];
    const [a, b] = planted as [number, number];
    const told = {
      candidate: dir,
      isRound: candidate.manifest.parent === champion.digest,
      gives: name,
      planted: [await tell([a]), await tell([b]), await tell([a, b]), await tell(planted)],
      mostTurned: await tell(await search(sitting, searching, k, TURNED)),
      mostSure: await tell(await search(sitting, searching, k, SURE)),
    };
    process.stdout.write(`${JSON.stringify(told)}\n`);
  }
  for (const served of [mine, its]) await served.close();
}
