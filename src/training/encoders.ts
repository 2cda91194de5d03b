/** The frozen encoders that a network's columns need, opened for a run with their caches on disk. */
import { join } from 'node:path';
import type { Log } from '../base/log.ts';
import { diskStore, memoryStore, withCache } from '../models/encoders/cache.ts';
import { DEFAULT_ENCODERS } from '../models/encoders/catalogue.ts';
import { openCatalogued } from '../models/encoders/catalogued.ts';
import { sizeOf } from '../models/encoders/columns.ts';
import type { Encoder, Modality } from '../models/encoders/contract.ts';
import { createEntityTagger, type EntityTagger } from '../models/encoders/entities.ts';
import type { Manifest } from '../models/manifest.ts';
import type { Reading, Vocabulary } from '../models/port.ts';
import { loadVocabulary, loadWordVectors } from '../models/words.ts';
import type { Column, Dims } from '../models/zoo/contract.ts';

/** Tokens of a text that a network reads where nothing else is said (models.md §2.3). */
const MAX_TOKENS = 64;

/** Null: no column needs it. */
export interface Encoders {
  readonly vocabulary: Vocabulary;
  /** Word vectors. [rows, 100] */
  readonly wordVectors: Float32Array;
  readonly text: Encoder<'text'> | null;
  readonly image: Encoder<'image'> | null;
  readonly tagger: EntityTagger | null;
  close(): Promise<void>;
}

/** By the language that they read. */
export type TaggerName = 'english' | 'chinese';

export interface EncoderChoice {
  /** Ids of the catalogue; the shipped ones by default. */
  readonly text?: string;
  readonly image?: string;
  /** Which entity tagger reads the texts; the English one by default. */
  readonly tagger?: TaggerName;
  /** Which words of a text are read; what the shipped models read where left out. */
  readonly reading?: Reading;
  /** Where installed encoders and the caches of vectors lie. */
  readonly cacheDir: string;
  readonly threads: number;
  readonly log: Log;
  /** Texts are kept in memory: attacks make thousands that nobody asks for again. On disk where left out. */
  readonly passingTexts?: boolean;
}

/** Vectors of passing texts: some thousands. */
const PASSING_BYTES = 256 * 1024 * 1024;

const NEEDS: Readonly<Record<Modality, readonly Column[]>> = {
  text: ['tokens', 'tokenMask', 'sentence'],
  image: ['imageLogits', 'imageFeatures'],
};

/** Opens what the columns need and nothing else. Throws DEPENDENCY_MISSING for an encoder that is not installed. */
export async function openEncoders(columns: readonly Column[], choice: EncoderChoice): Promise<Encoders> {
  const openById = openCatalogued(choice);
  const open = async <M extends Modality>(modality: M): Promise<Encoder<M> | null> => {
    if (!columns.some((column) => NEEDS[modality].includes(column))) return null;
    const encoder = await openById(choice[modality] ?? DEFAULT_ENCODERS[modality], modality);
    const passing = modality === 'text' && choice.passingTexts;
    return withCache(
      encoder,
      passing ? memoryStore(PASSING_BYTES) : diskStore(join(choice.cacheDir, 'vectors'), encoder),
    );
  };
  const text = await open('text');
  const image = await open('image');
  return {
    vocabulary: loadVocabulary(choice.reading),
    wordVectors: loadWordVectors(choice.reading),
    text,
    image,
    tagger: columns.includes('entities') ? await openTagger(choice.tagger) : null,
    async close() {
      await text?.close();
      await image?.close();
    },
  };
}

async function openTagger(name: TaggerName = 'english'): Promise<EntityTagger> {
  if (name === 'english') return createEntityTagger();
  // Its dictionary takes most of a second to read.
  return (await import('../models/encoders/chinese-entities.ts')).createChineseTagger();
}

/** Sizes of the columns; zero where no encoder is open. @param maxTokens tokens per text */
export function dimsOf({ text, image }: Encoders, events: number, maxTokens: number = MAX_TOKENS): Dims {
  return {
    tokens: text ? maxTokens : 0,
    text: text ? sizeOf(text, 'tokens') : 0,
    imageLogits: image ? sizeOf(image, 'logits') : 0,
    imageFeatures: image ? sizeOf(image, 'features') : 0,
    events,
  };
}

/** The open encoders as a manifest names them. */
export const encodersOf = ({ text, image }: Encoders): Manifest['encoders'] =>
  [text, image].flatMap((encoder) =>
    encoder
      ? [
          {
            id: encoder.id,
            version: encoder.version,
            modality: encoder.modality,
            preprocess: encoder.preprocess,
            sha256: encoder.weights.sha256,
          },
        ]
      : [],
  );
