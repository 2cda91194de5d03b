/** The frozen encoders that a network's columns need, opened for a run with their caches on disk. */
import { join } from 'node:path';
import type { Log } from '../base/log.ts';
import { diskStore, withCache } from '../models/encoders/cache.ts';
import { DEFAULT_ENCODERS, encoderDir, encoderRow } from '../models/encoders/catalogue.ts';
import { sizeOf } from '../models/encoders/columns.ts';
import type { Encoder, Modality } from '../models/encoders/contract.ts';
import { createEntityTagger, type EntityTagger } from '../models/encoders/entities.ts';
import { openEncoder } from '../models/encoders/open.ts';
import type { Vocabulary } from '../models/port.ts';
import { loadVocabulary, loadWordVectors } from '../models/words.ts';
import type { Column, Dims } from '../models/zoo/contract.ts';

/** Tokens of a text that a network reads (models.md §2.3). */
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

export interface EncoderChoice {
  /** Ids of the catalogue; the shipped ones by default. */
  readonly text?: string;
  readonly image?: string;
  /** Where installed encoders and the caches of vectors lie. */
  readonly cacheDir: string;
  readonly threads: number;
  readonly log: Log;
}

const NEEDS: Readonly<Record<Modality, readonly Column[]>> = {
  text: ['tokens', 'tokenMask', 'sentence'],
  image: ['imageLogits', 'imageFeatures'],
};

/** Opens what the columns need and nothing else. Throws DEPENDENCY_MISSING for an encoder that is not installed. */
export async function openEncoders(columns: readonly Column[], choice: EncoderChoice): Promise<Encoders> {
  const open = async <M extends Modality>(modality: M): Promise<Encoder<M> | null> => {
    if (!columns.some((column) => NEEDS[modality].includes(column))) return null;
    const row = encoderRow(choice[modality] ?? DEFAULT_ENCODERS[modality]);
    const { threads, log, cacheDir } = choice;
    const encoder = await openEncoder(row, modality, { dir: encoderDir(row, cacheDir), threads, log });
    return withCache(encoder, diskStore(join(cacheDir, 'vectors'), row));
  };
  const text = await open('text');
  const image = await open('image');
  return {
    vocabulary: loadVocabulary(),
    wordVectors: loadWordVectors(),
    text,
    image,
    tagger: columns.includes('entities') ? createEntityTagger() : null,
    async close() {
      await text?.close();
      await image?.close();
    },
  };
}

/** Sizes of the columns; zero where no encoder is open. */
export function dimsOf({ text, image }: Encoders, events: number): Dims {
  return {
    tokens: text ? MAX_TOKENS : 0,
    text: text ? sizeOf(text, 'tokens') : 0,
    imageLogits: image ? sizeOf(image, 'logits') : 0,
    imageFeatures: image ? sizeOf(image, 'features') : 0,
    events,
  };
}
