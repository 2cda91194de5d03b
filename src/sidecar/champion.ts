/** The model that a round attacks and starts from, with what it takes to attack it. */
import type { Posts, Victim } from '../adversarial/attack.ts';
import { createVictim } from '../adversarial/victim.ts';
import { buildWordSpace, type WordSpace } from '../adversarial/word-space.ts';
import { WORD_DEFAULTS } from '../adversarial/words.ts';
import { TocsinError } from '../base/errors.ts';
import type { ModelRef } from '../event/records.ts';
import { ARTEFACT_FILES, type Artefact } from '../models/artefact.ts';
import type { Tf } from '../models/engine/tf.ts';
import type { Vocabulary } from '../models/port.ts';
import { loadVocabulary, loadWordVectors, readingOf, WORD_DIMENSIONS } from '../models/words.ts';
import type { Column } from '../models/zoo/contract.ts';
import { type OpenedNetwork, openNetwork } from '../models/zoo/open.ts';

/** Tensors and words, as every part of a round needs them. */
export interface Engine {
  readonly tf: Tf;
  readonly vocabulary: Vocabulary;
  /** The word table. [rows, 100] */
  readonly vectors: Float32Array;
}

/** Words as this model reads them. Throws MODEL_INVALID where nothing here reads so. */
export function engineFor(tf: Tf, { manifest }: Artefact): Engine {
  const reading = readingOf(manifest.words?.id);
  return { tf, vocabulary: loadVocabulary(reading), vectors: loadWordVectors(reading) };
}

export const COLUMNS: readonly Column[] = ['words'];

export interface OpenChampion extends OpenedNetwork {
  readonly artefact: Artefact;
  readonly victim: Victim;
}

/**
 * Its network, which the caller disposes of. Throws BAD_USAGE for a model that reads more than words or has several
 * answers: training on texts alone would spoil the rest of it.
 */
export function openChampion({ tf, vocabulary }: Engine, artefact: Artefact, space: WordSpace): OpenChampion {
  const { name, version, architecture, modalities, words } = artefact.manifest;
  const { head } = architecture;
  if (modalities.image === 'trained' || words?.id !== vocabulary.id || head.outputs !== 1)
    throw new TocsinError(
      'BAD_USAGE',
      `Retraining ${name} ${version}: the sidecar trains yes-or-no models that read the shipped words alone.`,
    );
  const opened = openNetwork(tf, artefact);
  const encode = (text: string): Int32Array => vocabulary.encode(text);
  const victim = createVictim(tf, { network: opened.network, head, columns: COLUMNS, space, encode });
  return { ...opened, artefact, victim };
}

/** Neighbours of the words that these posts have. */
export const spaceOf = ({ tf, vectors }: Engine, posts: readonly Posts[]): WordSpace =>
  buildWordSpace(
    tf,
    vectors,
    WORD_DIMENSIONS,
    WORD_DEFAULTS.candidates,
    new Set(posts.flatMap(({ words }) => [...words])),
  );

/** As labels name it. */
export const refOf = ({ manifest }: Artefact): ModelRef => ({
  name: manifest.name,
  version: manifest.version,
  sha256: manifest.files[ARTEFACT_FILES.text]?.sha256 ?? '',
});
