/** Tiny encoders with random weights, written by our own ONNX writer: tests of encoders and of the zoo need no download. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from '../../src/base/random.ts';
import type { EncoderFile, EncoderRow } from '../../src/models/encoders/catalogue.ts';
import { encodeOnnx, FLOAT32, type OnnxGraph } from '../../src/models/onnx-graph.ts';

/** Length of a token vector of the tiny text encoder. */
const TEXT_SIZE = 8;
const FEATURES = 6;
const LOGITS = 5;

const noise = (length: number, seed: number): Float32Array => {
  const random = seededRandom(seed);
  return Float32Array.from({ length }, () => random() - 0.5);
};

const MARKS = ['[PAD]', '[UNK]', '[CLS]', '[SEP]'];
/** Letters, their continuations, and a few words: every Latin text gives tokens. */
const VOCABULARY = [
  ...MARKS,
  'flood',
  'bridge',
  ...[...'abcdefghijklmnopqrstuvwxyz0123456789.,!?#@:/'].flatMap((c) => [c, `##${c}`]),
];

const tokenizer = {
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: MARKS.map((content, id) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  })),
  normalizer: {
    type: 'BertNormalizer',
    clean_text: true,
    handle_chinese_chars: true,
    strip_accents: null,
    lowercase: true,
  },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  post_processor: {
    type: 'TemplateProcessing',
    single: [
      { SpecialToken: { id: '[CLS]', type_id: 0 } },
      { Sequence: { id: 'A', type_id: 0 } },
      { SpecialToken: { id: '[SEP]', type_id: 0 } },
    ],
    pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
    special_tokens: {
      '[CLS]': { id: '[CLS]', ids: [2], tokens: ['[CLS]'] },
      '[SEP]': { id: '[SEP]', ids: [3], tokens: ['[SEP]'] },
    },
  },
  decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab: Object.fromEntries(VOCABULARY.map((token, id) => [token, id])),
  },
};

/** Embeddings, mixed over the text by one attention without weights. */
const textGraph: OnnxGraph = {
  name: 'tiny_text',
  inputs: [{ name: 'input_ids', shape: ['sequence'], type: 'int64' }],
  outputs: [{ name: 'last_hidden_state', shape: ['sequence', TEXT_SIZE] }],
  nodes: [
    { op: 'Gather', inputs: ['embeddings', 'input_ids'], output: 'x' }, // [1, n, d]
    { op: 'Transpose', inputs: ['x'], output: 'x_turned', lists: { perm: [0, 2, 1] } },
    { op: 'MatMul', inputs: ['x', 'x_turned'], output: 'scores' },
    { op: 'Softmax', inputs: ['scores'], output: 'shares', numbers: { axis: -1 } },
    { op: 'MatMul', inputs: ['shares', 'x'], output: 'mixed' },
    { op: 'Add', inputs: ['mixed', 'x'], output: 'sum' },
    { op: 'Tanh', inputs: ['sum'], output: 'last_hidden_state' },
  ],
  weights: [
    {
      name: 'embeddings',
      shape: [VOCABULARY.length, TEXT_SIZE],
      values: noise(VOCABULARY.length * TEXT_SIZE, 1),
    },
  ],
};

/** One strided convolution, pooled, and one dense layer. */
const pictureGraph: OnnxGraph = {
  name: 'tiny_picture',
  inputs: [{ name: 'pixels', shape: [224, 224, 3], type: 'uint8' }],
  outputs: [
    { name: 'features', shape: [FEATURES] },
    { name: 'logits', shape: [LOGITS] },
  ],
  nodes: [
    { op: 'Cast', inputs: ['pixels'], output: 'floats', numbers: { to: FLOAT32 } },
    { op: 'Div', inputs: ['floats', 'range'], output: 'scaled' },
    { op: 'Transpose', inputs: ['scaled'], output: 'planes', lists: { perm: [0, 3, 1, 2] } },
    {
      op: 'Conv',
      inputs: ['planes', 'kernel'],
      output: 'field',
      lists: { kernel_shape: [8, 8], strides: [8, 8] },
    },
    { op: 'Relu', inputs: ['field'], output: 'active' },
    { op: 'GlobalAveragePool', inputs: ['active'], output: 'pooled' },
    { op: 'Flatten', inputs: ['pooled'], output: 'features' },
    { op: 'MatMul', inputs: ['features', 'dense'], output: 'logits' },
  ],
  weights: [
    { name: 'range', shape: [], values: Float32Array.of(255) },
    { name: 'kernel', shape: [FEATURES, 3, 8, 8], values: noise(FEATURES * 192, 2) },
    { name: 'dense', shape: [FEATURES, LOGITS], values: noise(FEATURES * LOGITS, 3) },
  ],
};

const common = { version: '1', licence: 'Apache-2.0', origin: 'made for tests', shipped: false } as const;

function write(dir: string, name: EncoderFile['name'], content: Uint8Array | string): EncoderFile {
  const bytes = Buffer.from(content);
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, name), bytes);
  return { name, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/** Writes the tiny text encoder into `dir`. */
export function writeTinyTextEncoder(dir: string): EncoderRow {
  return {
    ...common,
    id: 'tiny-text',
    modality: 'text',
    about: 'random weights',
    source: { kind: 'user', wanted: 'nothing' },
    outputs: [
      { name: 'sentence', dims: [TEXT_SIZE] },
      { name: 'tokens', dims: [null, TEXT_SIZE] },
    ],
    networkOutputs: ['last_hidden_state'],
    maxTokens: 16,
    planes: null,
    files: [
      write(dir, 'model.onnx', encodeOnnx(textGraph)),
      write(dir, 'tokenizer.json', JSON.stringify(tokenizer)),
    ],
  };
}

/** Writes the tiny picture encoder into `dir`. */
export function writeTinyPictureEncoder(dir: string): EncoderRow {
  return {
    ...common,
    id: 'tiny-picture',
    modality: 'image',
    about: 'random weights',
    source: { kind: 'user', wanted: 'nothing' },
    outputs: [
      { name: 'features', dims: [FEATURES] },
      { name: 'logits', dims: [LOGITS] },
    ],
    networkOutputs: ['features', 'logits'],
    maxTokens: 0,
    planes: null,
    files: [write(dir, 'model.onnx', encodeOnnx(pictureGraph))],
  };
}

/** An ONNX file such as a user may give: planes of floats in, one output, the last layer dense. */
export function userNetwork(): Uint8Array {
  return encodeOnnx({
    name: 'tiny_user',
    inputs: [{ name: 'data', shape: [3, 224, 224] }],
    outputs: [{ name: 'classes', shape: [LOGITS] }],
    nodes: [
      {
        op: 'Conv',
        inputs: ['data', 'kernel'],
        output: 'field',
        lists: { kernel_shape: [8, 8], strides: [8, 8] },
      },
      { op: 'Relu', inputs: ['field'], output: 'active' },
      { op: 'GlobalAveragePool', inputs: ['active'], output: 'pooled' },
      { op: 'Flatten', inputs: ['pooled'], output: 'flat' },
      { op: 'Gemm', inputs: ['flat', 'dense'], output: 'scores' },
      { op: 'Softmax', inputs: ['scores'], output: 'classes', numbers: { axis: -1 } },
    ],
    weights: [
      { name: 'kernel', shape: [FEATURES, 3, 8, 8], values: noise(FEATURES * 192, 4) },
      { name: 'dense', shape: [FEATURES, LOGITS], values: noise(FEATURES * LOGITS, 5) },
    ],
  });
}

/** The row of an encoder that needs the user's weights: `userNetwork`. */
export const USER_ROW: EncoderRow = {
  ...common,
  id: 'tiny-user',
  modality: 'image',
  about: 'weights of your own',
  source: { kind: 'user', wanted: 'a tiny network' },
  outputs: [
    { name: 'features', dims: [FEATURES] },
    { name: 'logits', dims: [LOGITS] },
  ],
  networkOutputs: ['features', 'logits'],
  maxTokens: 0,
  planes: { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] },
  files: null,
};
