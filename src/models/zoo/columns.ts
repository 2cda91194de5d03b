/** The shape of every column, without the batch (contract.ts, `COLUMNS`). */
import { MAX_WORDS, WORD_DIMENSIONS } from '../words.ts';
import { PICTURE_SIDE } from './branches.ts';
import type { Column, Dims } from './contract.ts';
import { MAX_ENTITIES } from './mafn.ts';

export const columnShapes = (dims: Dims): Readonly<Record<Column, readonly number[]>> => ({
  words: [MAX_WORDS, WORD_DIMENSIONS],
  pixels: [PICTURE_SIDE, PICTURE_SIDE, 3],
  tokens: [dims.tokens, dims.text],
  tokenMask: [dims.tokens],
  sentence: [dims.text],
  imageLogits: [dims.imageLogits],
  imageFeatures: [dims.imageFeatures],
  entities: [MAX_ENTITIES],
  present: [2],
  event: [1],
});
