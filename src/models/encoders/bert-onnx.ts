/**
 * BERT's weights → an ONNX graph: `input_ids` [batch, sequence] → `last_hidden_state` [batch, sequence, 768] (Devlin et al.
 * 2019). No mask and no segments: texts run one by one, unpadded, in the first segment.
 */
import { TocsinError } from '../../base/errors.ts';
import { encodeOnnx, type OnnxNode, type OnnxWeights } from '../onnx-graph.ts';
import type { BundleTensor } from './tensor-bundle.ts';

const HIDDEN = 768;
const HEADS = 12;
const HEAD = HIDDEN / HEADS;
const LAYERS = 12;
/** LayerNormalization came with 17. */
const OPSET = 17;

/** @param weights by the names of Google's code, e.g. `encoder/layer_0/attention/self/query/kernel` */
export function bertOnnx(weights: ReadonlyMap<string, BundleTensor>): Uint8Array {
  const nodes: OnnxNode[] = [];
  const kept: OnnxWeights[] = [];
  const take = (name: string): BundleTensor => {
    const found = weights.get(name);
    if (!found) throw new TocsinError('MODEL_INVALID', `Converting BERT: there are no weights ${name}.`);
    return found;
  };
  const keep = (name: string, tensor: BundleTensor = take(name)): string => {
    kept.push({ name, ...tensor });
    return name;
  };
  const scalar = (name: string, value: number): string =>
    keep(name, { shape: [], values: Float32Array.of(value) });
  const add = (
    op: string,
    inputs: readonly string[],
    more: Partial<OnnxNode> = {},
    output = `${op}_${nodes.length}`,
  ): string => {
    nodes.push({ op, inputs, output, ...more });
    return output;
  };
  const normalise = (x: string, name: string, output?: string): string =>
    add(
      'LayerNormalization',
      [x, keep(`${name}/gamma`), keep(`${name}/beta`)],
      { numbers: { axis: -1 }, reals: { epsilon: 1e-12 } },
      output,
    );
  const dense = (x: string, name: string): string =>
    add('Add', [add('MatMul', [x, keep(`${name}/kernel`)]), keep(`${name}/bias`)]);

  const length = add('Slice', [add('Shape', ['input_ids']), 'one', 'two']);
  const positions = keep('positions', firstSegment(take));
  let x = add('Add', [
    add('Gather', [keep('embeddings/word_embeddings'), 'input_ids']),
    add('Slice', [positions, 'zero', length, 'zero']),
  ]);
  x = normalise(x, 'embeddings/LayerNorm');
  const [scale, cubic, root, half, one] = [
    scalar('attention_scale', 1 / Math.sqrt(HEAD)),
    scalar('gelu_cubic', 0.044715),
    scalar('gelu_root', Math.sqrt(2 / Math.PI)),
    scalar('half', 0.5),
    scalar('unit', 1),
  ];
  for (let layer = 0; layer < LAYERS; layer += 1) {
    const name = `encoder/layer_${layer}`;
    const heads = (part: string, perm: readonly number[]): string =>
      add('Transpose', [add('Reshape', [dense(x, `${name}/attention/self/${part}`), 'split'])], {
        lists: { perm },
      });
    const query = heads('query', [0, 2, 1, 3]); // [b, heads, n, 64]
    const key = heads('key', [0, 2, 3, 1]); // [b, heads, 64, n]
    const value = heads('value', [0, 2, 1, 3]);
    const shares = add('Softmax', [add('Mul', [add('MatMul', [query, key]), scale])], {
      numbers: { axis: -1 },
    });
    const read = add('Transpose', [add('MatMul', [shares, value])], { lists: { perm: [0, 2, 1, 3] } });
    const attended = dense(add('Reshape', [read, 'merge']), `${name}/attention/output/dense`);
    x = normalise(add('Add', [attended, x]), `${name}/attention/output/LayerNorm`);
    // GELU in its tanh form, as this release of BERT computes it.
    const h = dense(x, `${name}/intermediate/dense`);
    const cube = add('Mul', [add('Mul', [add('Mul', [h, h]), h]), cubic]);
    const tanh = add('Tanh', [add('Mul', [add('Add', [h, cube]), root])]);
    const active = add('Mul', [add('Mul', [h, half]), add('Add', [tanh, one])]);
    x = normalise(
      add('Add', [dense(active, `${name}/output/dense`), x]),
      `${name}/output/LayerNorm`,
      layer === LAYERS - 1 ? 'last_hidden_state' : undefined,
    );
  }
  return encodeOnnx({
    name: 'bert_base',
    inputs: [{ name: 'input_ids', shape: ['sequence'], type: 'int64' }],
    outputs: [{ name: 'last_hidden_state', shape: ['sequence', HIDDEN] }],
    nodes,
    weights: kept,
    integers: { zero: [0], one: [1], two: [2], split: [0, 0, HEADS, HEAD], merge: [0, 0, HIDDEN] },
    opset: OPSET,
  });
}

/** Position embeddings with that of the first segment added. [512, 768] */
function firstSegment(take: (name: string) => BundleTensor): BundleTensor {
  const { shape, values } = take('embeddings/position_embeddings');
  const segment = take('embeddings/token_type_embeddings').values;
  return { shape, values: values.map((v, i) => v + (segment[i % HIDDEN] as number)) };
}

/** tokenizer.json of an uncased BERT from its vocab.txt. */
export function bertTokenizer(vocabulary: string): string {
  const tokens = vocabulary.trimEnd().split('\n');
  const marks = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];
  const mark = (id: string): object => ({ SpecialToken: { id, type_id: 0 } });
  const sequence = (id: string): object => ({ Sequence: { id, type_id: 0 } });
  const special = (token: string): object => ({ id: token, ids: [tokens.indexOf(token)], tokens: [token] });
  return JSON.stringify({
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: marks.map((content) => ({
      id: tokens.indexOf(content),
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
      single: [mark('[CLS]'), sequence('A'), mark('[SEP]')],
      pair: [mark('[CLS]'), sequence('A'), mark('[SEP]'), sequence('B'), mark('[SEP]')],
      special_tokens: { '[CLS]': special('[CLS]'), '[SEP]': special('[SEP]') },
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
    },
  });
}
