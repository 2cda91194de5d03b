/**
 * What is left of a model's answers under attacks, scored by the files that serve: crafted on the network where it reads
 * words or pixels, and on what is served where it reads texts through frozen encoders.
 */
import type { Attack, Posts, Victim } from '../adversarial/attack.ts';
import { attacksOf, TEXT_ATTACKS } from '../adversarial/suite.ts';
import { createVictim } from '../adversarial/victim.ts';
import { buildWordSpace, type WordSpace } from '../adversarial/word-space.ts';
import { seededRandom, shuffled } from '../base/random.ts';
import type { Artefact } from '../models/artefact.ts';
import type { Tf } from '../models/engine/tf.ts';
import type { ScoreInput, Vocabulary } from '../models/port.ts';
import { loadWordVectors, MAX_WORDS, readingOf, WORD_DIMENSIONS, type Words } from '../models/words.ts';
import { openNetwork } from '../models/zoo/open.ts';
import { normaliseText } from '../normalise/text.ts';
import type { Example } from '../training/dataset.ts';
import { openPictures, pixelsOf } from '../training/pictures.ts';
import { targetOf } from '../training/tasks.ts';
import type { JudgeOptions } from './options.ts';
import type { Scores, Served } from './served.ts';
import { columnsOf, type Sitting } from './sitting.ts';

/** Neighbours per word (models.md §1.2). */
const NEIGHBOURS = 10;

/** How right a model is about each attacked post: F1 of its classes, so 0 or 1 where a post has exactly one. [n] */
export type Right = Float64Array;

/** The posts that are attacked. */
export interface Attacked {
  readonly examples: readonly Example[];
  readonly classes: readonly string[];
  /** [n, classes] */
  readonly targets: readonly (readonly number[])[];
  /** Posts that are right and wrong together, where there are such. [n] */
  readonly clusters: Int32Array | undefined;
  readonly options: JudgeOptions;
  readonly seed: number;
}

/** With all that crafting on a network of words and pixels needs. */
export interface Arena extends Attacked {
  /** Words as this model reads them, and what may stand for each. */
  readonly wordsOf: (served: Served) => { readonly vocabulary: Vocabulary; readonly space: WordSpace };
  readonly pixels: readonly (Uint8Array | null)[];
}

/** As many posts of each class: in a draw without that, the attacks on a small class would not count. */
export function drawAttacked(
  { examples, targets, classes, clusters, options, seed }: Sitting,
  most: number,
): Attacked {
  const order = shuffled([...examples.keys()], seededRandom(seed));
  const chosen = new Set<number>();
  classes.forEach((_, k) => {
    const fresh = order.filter((i) => targets[i]?.[k] === 1 && !chosen.has(i));
    for (const i of fresh.slice(0, Math.ceil(most / classes.length))) chosen.add(i);
  });
  const indexes = [...chosen].sort((a, b) => a - b);
  return {
    examples: indexes.map((i) => examples[i] as Example),
    classes,
    targets: indexes.map((i) => targets[i] as readonly number[]),
    clusters: clusters && Int32Array.from(indexes, (i) => clusters[i] as number),
    options,
    seed,
  };
}

export async function openArena(tf: Tf, sitting: Sitting): Promise<Arena> {
  const drawn = drawAttacked(sitting, sitting.options.attackedPosts);
  const spaces = new Map<string, WordSpace>();
  return {
    ...drawn,
    wordsOf({ words }) {
      const { vocabulary } = words as Words;
      const space = spaces.get(vocabulary.id) ?? spaceOf(tf, vocabulary, drawn.examples);
      spaces.set(vocabulary.id, space);
      return { vocabulary, space };
    },
    pixels: await pixelsOf(drawn.examples, openPictures()),
  };
}

/** Neighbours of the words of the posts, and of those neighbours: a greedy attack may replace a replacement. */
function spaceOf(tf: Tf, vocabulary: Vocabulary, examples: readonly Example[]): WordSpace {
  const vectors = loadWordVectors(readingOf(vocabulary.id));
  const wanted = new Set(examples.flatMap(({ text }) => [...vocabulary.encode(text)]));
  const { neighbours, n } = buildWordSpace(tf, vectors, WORD_DIMENSIONS, NEIGHBOURS, wanted);
  const second = [...wanted].flatMap((id) => [...neighbours.subarray(id * n, (id + 1) * n)]);
  return buildWordSpace(tf, vectors, WORD_DIMENSIONS, NEIGHBOURS, [...wanted, ...second]);
}

/** On the posts as they are. */
export const untouched = async (arena: Attacked, served: Served): Promise<Right> =>
  rightness(arena, served, await served.score(arena.examples), [...arena.examples.keys()]);

/**
 * For each attack how right `served` is about posts that were crafted on `onto`; a post that an attack cannot touch stays
 * as it was.
 */
export async function attacked(
  tf: Tf,
  arena: Arena,
  served: Served,
  onto: Served,
  clean: Right,
  isWanted: (attack: string) => boolean,
): Promise<Map<string, Right>> {
  const found = new Map<string, Right>();
  for (const pictured of [false, true]) {
    const members = [...arena.examples.keys()].filter((i) => (arena.pixels[i] !== null) === pictured);
    if (members.length === 0) continue;
    const crafted = craft(tf, arena, onto, members, isWanted);
    for (const [name, inputs] of crafted) {
      const read = reread(inputs, onto, served);
      const scores = await (served.scoreInputs as NonNullable<Served['scoreInputs']>)(read);
      const right = found.get(name) ?? clean.slice();
      rightness(arena, served, scores, members).forEach((value, at) => {
        right[members[at] as number] = value;
      });
      found.set(name, right);
    }
  }
  return found;
}

/**
 * For each attack on texts how right `served` is about the posts, crafted on what it says itself: no gradient is asked for,
 * so it does not matter what it reads a text with.
 */
export async function attackedTexts(arena: Attacked, served: Served): Promise<Map<string, Right>> {
  const { examples, targets } = arena;
  const columns = columnsOf(served, arena.classes);
  const scoreOf = (texts: readonly string[]): Promise<Scores> =>
    served.score(
      examples.map((example, i) => ({ ...example, text: normaliseText(texts[i] as string).text })),
    );
  const lossesOf = ({ probabilities }: Scores): Float32Array =>
    Float32Array.from(targets, (target, i) => {
      const row = probabilities[i];
      const right = columns.reduce(
        (sum, column, k) => sum + (target[k] as number) * (row?.[column] ?? 0.5),
        0,
      );
      return -Math.log(Math.max(Number.MIN_VALUE, right));
    });
  const found = new Map<string, Right>();
  for (const attack of TEXT_ATTACKS) {
    const asked = attack.edit(examples.map(({ text }) => text));
    let step = asked.next();
    while (!step.done) step = asked.next(lossesOf(await scoreOf(step.value)));
    const scores = await scoreOf(step.value.texts);
    found.set(attack.name, rightness(arena, served, scores, [...examples.keys()]));
  }
  return found;
}

/** The posts of each attack as the scoring threads take them. */
function craft(
  tf: Tf,
  arena: Arena,
  onto: Served,
  members: readonly number[],
  isWanted: (attack: string) => boolean,
): (readonly [string, ScoreInput[]])[] {
  const { network, columns, reads } = openVictimNetwork(tf, onto.artefact);
  try {
    const { space, vocabulary } = arena.wordsOf(onto);
    const posts = postsOf(arena, vocabulary, onto.artefact, members);
    const { head } = onto.artefact.manifest.architecture;
    const victim: Victim = createVictim(tf, { network, head, columns, space, encode: vocabulary.encode });
    const { epsilon, squareQueries } = arena.options;
    const attacks: readonly Attack[] = attacksOf(
      tf,
      'strong',
      { text: reads.text, image: reads.image && posts.pixels !== null },
      {
        epsilon,
        squareQueries,
        candidates: NEIGHBOURS,
        normalise: (text) => normaliseText(text).text,
      },
    );
    return attacks
      .filter(({ name }) => isWanted(name))
      .map(({ name, generate }) => [name, inputsOf(generate(victim, posts, seededRandom(arena.seed)).posts)]);
  } finally {
    network.dispose();
  }
}

function openVictimNetwork(tf: Tf, artefact: Artefact) {
  const { modalities } = artefact.manifest;
  const { network, architecture, config } = openNetwork(tf, artefact);
  const reads = { text: modalities.text === 'trained', image: modalities.image === 'trained' };
  const columns = architecture
    .columns(config)
    .filter((column) => (column === 'words' ? reads.text : column === 'pixels' ? reads.image : true));
  return { network, columns, reads };
}

function postsOf(
  { examples, pixels }: Arena,
  vocabulary: Vocabulary,
  onto: Artefact,
  members: readonly number[],
): Posts {
  const { manifest } = onto;
  const { outputs } = manifest.architecture.head;
  const chosen = members.map((i) => examples[i] as Example);
  const words = new Int32Array(members.length * MAX_WORDS);
  chosen.forEach(({ text }, i) => {
    words.set(vocabulary.encode(text), i * MAX_WORDS);
  });
  const labels = chosen.flatMap((example) => labelOf(example, manifest, outputs));
  const shown = members.map((i) => pixels[i]);
  return {
    count: members.length,
    texts: chosen.map(({ text }) => text),
    words,
    pixels: shown.every((picture) => picture)
      ? Float32Array.from(
          shown.flatMap((picture) => [...(picture as Uint8Array)]),
          (byte) => byte / 255,
        )
      : null,
    labels: Float32Array.from(labels),
  };
}

/** As the network's head has it. [outputs] */
function labelOf({ labels }: Example, { task, classes }: Artefact['manifest'], outputs: number): number[] {
  if (classes)
    return targetOf(
      labels,
      task,
      classes.map(({ name }) => name),
    ) as number[];
  const yes = labels[task] === 1 ? 1 : 0;
  return outputs === 1 ? [yes] : [1 - yes, yes];
}

/** Pictures are bytes when they are served: what an attacker wins below one step of 255 is lost. */
function inputsOf({ count, words, pixels }: Posts): ScoreInput[] {
  const size = (pixels?.length ?? 0) / count;
  return Array.from({ length: count }, (_, i) => ({
    words: words.slice(i * MAX_WORDS, (i + 1) * MAX_WORDS),
    pixels:
      pixels &&
      Uint8Array.from(pixels.subarray(i * size, (i + 1) * size), (value) => Math.round(255 * value)),
  }));
}

/** What was crafted on one model as another reads it: the same words, where the two read words differently. */
function reread(inputs: readonly ScoreInput[], onto: Served, served: Served): readonly ScoreInput[] {
  const [from, to] = [onto.words?.vocabulary, served.words?.vocabulary];
  if (!from || !to || from.id === to.id) return inputs;
  return inputs.map(({ words, pixels }) => ({
    words: to.encode(
      Array.from(
        words.filter((row) => row !== 0),
        from.word,
      ).join(' '),
    ),
    pixels,
  }));
}

/** @param members the post of each row of scores */
function rightness(
  { targets, classes }: Attacked,
  served: Served,
  { answers }: Scores,
  members: readonly number[],
): Right {
  const columns = columnsOf(served, classes);
  return Float64Array.from(members, (post, i) => {
    const target = targets[post] as readonly number[];
    let [both, either] = [0, 0];
    columns.forEach((column, k) => {
      const answer = answers[i]?.[column] as number;
      both += answer * (target[k] as number);
      either += answer + (target[k] as number);
    });
    return either === 0 ? 1 : (2 * both) / either;
  });
}
