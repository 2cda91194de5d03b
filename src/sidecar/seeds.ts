/** The trusted posts that a round starts from: a labelled collection that the operator names, split as the champion's was. */
import { ARTEFACT_FILES, type Artefact, sha256Of } from '../models/artefact.ts';
import { binaryLabel, binaryTaskOf, type Dataset, type Example } from '../training/dataset.ts';
import { withEveryday } from '../training/everyday.ts';
import { readDataset } from '../training/read-dataset.ts';
import { parseSplit, pick, type Split, splitBy } from '../training/splits.ts';
import { TASKS } from '../training/tasks.ts';
import type { HumanSample } from './samples.ts';

/** A labelled post, as far as the sidecar needs one. */
export interface SeedPost {
  readonly id: string;
  /** Normalised. */
  readonly text: string;
  readonly label: 0 | 1;
}

export interface Seeds {
  readonly data: Pick<Dataset, 'name' | 'licence' | 'sha256' | 'also'> & { readonly examples: number };
  readonly split: Split;
  readonly train: readonly SeedPost[];
  readonly dev: readonly SeedPost[];
  /** Judges; nothing is chosen by it. */
  readonly test: readonly SeedPost[];
}

export interface SeedPlaces {
  /** A folder or file that a reader of training data knows. */
  readonly data: string;
  /** Everyday posts beside it, as for `tocsin train --everyday`; empty: none. */
  readonly everyday: string;
}

/** As in `tocsin train`, where the champion does not say how many. */
const EVERYDAY_LIMIT = 3_000;

/**
 * Reads them. Where the champion was trained on these very data its own split holds, so that what judged it judges its
 * successor; else the posts are split by group. Throws ARCHIVE_UNREADABLE, BAD_USAGE.
 */
export async function readSeeds(
  { data, everyday }: SeedPlaces,
  champion: Artefact,
  now: number,
): Promise<Seeds> {
  const { manifest } = champion;
  const task = 'informative';
  const own = await readDataset(data, { task, now });
  const all =
    everyday === ''
      ? own
      : withEveryday(own, await readDataset(everyday, { task, now }), {
          limit: manifest.data.also?.examples ?? EVERYDAY_LIMIT,
          seed: manifest.training.seed,
        });
  const split =
    manifest.data.sha256 === all.sha256
      ? parseSplit(champion.bytes(ARTEFACT_FILES.split))
      : splitBy(all, 'grouped', manifest.split.seed);
  const { name, licence, sha256, also, examples } = all;
  const of = (ids: readonly string[]): SeedPost[] => pick(all, ids).map((example) => postOf(all, example));
  return {
    data: { name, licence, sha256, examples: examples.length, ...(also ? { also } : {}) },
    split,
    train: of(split.train),
    dev: of(split.dev),
    test: of(split.test),
  };
}

const postOf = (data: Dataset, example: Example): SeedPost => ({
  id: example.id,
  text: example.text,
  label: binaryLabel(example, binaryTaskOf(data)),
});

/**
 * What stands for them where the operator names no collection: of the posts that people ruled on a tenth each tunes and
 * judges; the others train as human samples, and there are no seeds.
 */
export function seedsOfRulings(samples: readonly HumanSample[], seed: number): Seeds {
  const examples = samples.map(
    ({ post, label }): Example => ({
      id: post.id,
      post: post.id,
      event: 'rulings', // shares are dealt by event, and a collection may have few rulings
      createdAt: post.createdAt,
      text: post.text,
      language: post.language,
      author: post.author,
      picture: null,
      media: [],
      claim: null,
      published: {},
      labels: { informative: label },
    }),
  );
  const data: Dataset = {
    name: 'posts that people ruled on',
    licence: 'not stated',
    task: 'informative',
    classes: TASKS.informative.classes,
    weak: null,
    examples,
    sha256: sha256Of(JSON.stringify(examples)),
    left: {},
    pictureProblems: {},
  };
  const split = splitBy(data, 'grouped', seed);
  const of = (ids: readonly string[]): SeedPost[] => pick(data, ids).map((example) => postOf(data, example));
  return {
    data: { name: data.name, licence: data.licence, sha256: data.sha256, examples: examples.length },
    split,
    train: [],
    dev: of(split.dev),
    test: of(split.test),
  };
}
