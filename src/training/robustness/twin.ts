/**
 * The undefended model that static examples are crafted on (E1, models.md §1.7) where nobody named one: a Text-CNN, the
 * text branch of every network that reads words, trained here without any defence.
 */
import type { Victim } from '../../adversarial/attack.ts';
import { createVictim } from '../../adversarial/victim.ts';
import type { WordSpace } from '../../adversarial/word-space.ts';
import { seededRandom, shuffled } from '../../base/random.ts';
import type { Tf } from '../../models/engine/tf.ts';
import type { Vocabulary } from '../../models/port.ts';
import { MAX_WORDS } from '../../models/words.ts';
import type { Head } from '../../models/zoo/contract.ts';
import { textCnn } from '../../models/zoo/text-cnn.ts';
import { wordTable } from '../defences.ts';
import { recipeOf } from '../recipes.ts';
import { SILENT, train } from '../train.ts';

/** Posts and epochs that a twin gets: enough to have a gradient worth following, within a minute or two. */
const MOST_POSTS = 6_000;
const MOST_EPOCHS = 10;
/** Share of the posts that decides when training ends. */
const DEV_SHARE = 0.1;

export interface TwinPost {
  readonly text: string;
  /** [outputs] */
  readonly target: readonly number[];
}

/** The caller closes it. */
export interface Twin {
  readonly victim: Victim;
  /** Posts that it learnt from. */
  readonly rows: number;
  close(): void;
}

/** @param posts at least two; at most some thousands of them are used, drawn by the seed */
export async function fitTwin(
  tf: Tf,
  {
    head,
    space,
    vocabulary,
  }: { readonly head: Head; readonly space: WordSpace; readonly vocabulary: Vocabulary },
  posts: readonly TwinPost[],
  seed: number,
): Promise<Twin> {
  const rows = shuffled(posts, seededRandom(seed)).slice(0, MOST_POSTS);
  const devs = Math.max(1, Math.floor(DEV_SHARE * rows.length));
  const tableOf = (some: readonly TwinPost[]): ReturnType<typeof wordTable> => {
    const words = new Int32Array(some.length * MAX_WORDS);
    some.forEach(({ text }, i) => {
      words.set(vocabulary.encode(text), i * MAX_WORDS);
    });
    return wordTable(space.vectors, words, Float32Array.from(some.flatMap(({ target }) => target)));
  };
  const dims = { tokens: 0, text: 0, imageLogits: 0, imageFeatures: 0, events: 0 };
  const network = textCnn.build(tf, textCnn.defaults, dims, head, seed);
  try {
    await train(
      tf,
      network,
      head,
      { train: tableOf(rows.slice(devs)), dev: tableOf(rows.slice(0, devs)) },
      { ...recipeOf('text-cnn').options, maxEpochs: MOST_EPOCHS, seed },
      SILENT,
    );
  } catch (thrown) {
    network.dispose();
    throw thrown;
  }
  const columns = ['words'] as const;
  return {
    victim: createVictim(tf, { network, head, columns, space, encode: vocabulary.encode }),
    rows: rows.length - devs,
    close: () => network.dispose(),
  };
}
