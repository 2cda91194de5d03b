/**
 * MAFN (tfjs) → the one ONNX graph that serves it.
 *
 *   tokens [b, t, d], tokenMask [b, t], entities [b, 16], imageLogits [b, l] (those that the config reads)
 *   → logits [b, outputs] from all of them; where there are text and picture also text_logits, the picture being absent, and
 *     image_logits, the text being absent
 *
 * A text-only post is given zeros for its picture and is read at text_logits: the picture's encoder, which is what costs, never
 * runs. As in onnx-export.ts every dense layer is a convolution, and the products of the attention are small ones of a post's
 * own, so that a post's result cannot depend on who shares its batch (decision 10).
 */
import type { LayersModel, Tensor } from '@tensorflow/tfjs';
import type { Tf } from '../engine/tf.ts';
import { encodeOnnx, type OnnxNode, type OnnxPort, type OnnxWeights } from '../onnx-graph.ts';
import { NORM_EPSILON } from './batch-norm.ts';
import type { Dims } from './contract.ts';
import { LEAK, MAX_ENTITIES, type MafnConfig } from './mafn.ts';

/** ONNX' number for 64-bit integers. */
const INT64 = 7;
const INTEGERS = { channel_axis: [1], row_axis: [2], last_axis: [3], field_axes: [2, 3], first: [0] };

/**
 * Exports the weights that the network has now.
 * @param layers of a network that `mafn.build` made with this config and these dims
 */
export function exportMafn(tf: Tf, layers: LayersModel, config: MafnConfig, dims: Dims): Uint8Array {
  const nodes: OnnxNode[] = [];
  const emit = (
    op: string,
    inputs: readonly string[],
    output: string,
    attributes: Pick<OnnxNode, 'lists' | 'numbers' | 'reals'> = {},
  ): string => {
    nodes.push({ op, inputs, output, ...attributes });
    return output;
  };
  const biased = (layer: string): boolean => layers.getLayer(layer).getWeights().length > 1;
  /** A dense layer: [b, in, n, 1] → [b, out, n, 1] */
  const dense = (x: string, layer: string, head = ''): string =>
    emit('Conv', biased(layer) ? [x, layer, `${layer}_bias`] : [x, layer], `${head}${layer}_out`);
  const leaky = (x: string): string => emit('LeakyRelu', [x], `${x}_leaky`, { reals: { alpha: LEAK } });
  const turn = (x: string): string => emit('Transpose', [x], `${x}_turned`, { lists: { perm: [0, 2, 1] } });
  const field = (x: string): string => emit('Unsqueeze', [x, 'last_axis'], `${x}_field`); // [b, k, n] → [b, k, n, 1]

  /** Fields [b, k, n, 1], mask [b, n] → [b, k, n]. The scale is in the query's weights. */
  const attention = (name: string, x: string, mask: string): string => {
    const flat = (part: string): string =>
      emit(
        'Squeeze',
        [part === 'input' ? x : dense(x, `${name}_${part}`), 'last_axis'],
        `${name}_${part}_flat`,
      );
    const scores = emit('MatMul', [turn(flat('query')), flat('key')], `${name}_scores`); // [b, n, n]
    const hidden = emit('Mul', [emit('Sub', [mask, 'one'], `${name}_padding`), 'large'], `${name}_hidden`);
    const seen = emit(
      'Add',
      [scores, emit('Unsqueeze', [hidden, 'channel_axis'], `${name}_hide`)],
      `${name}_seen`,
    );
    const shares = emit('Softmax', [seen], `${name}_shares`, { numbers: { axis: 2 } });
    const mixed = emit('MatMul', [flat('value'), turn(shares)], `${name}_mixed`);
    return emit('Add', [flat('input'), mixed], `${name}_attended`);
  };

  /** Vectors [b, k, n], mask [b, n] → the mean of those that count, [b, k, 1, 1]. */
  const mean = (name: string, x: string, mask: string): string => {
    const count = emit('ReduceSum', [mask, 'channel_axis'], `${name}_count`); // [b, 1]
    const share = emit('Div', [mask, emit('Max', [count, 'one'], `${name}_divisor`)], `${name}_share`);
    const column = emit('Unsqueeze', [share, 'row_axis'], `${name}_column`); // [b, n, 1]
    return field(emit('MatMul', [x, column], `${name}_mean`));
  };
  /** Vectors [b, k, n] → one, [b, k, 1, 1]. */
  const pool = (x: string): string =>
    config.pool === 'cls'
      ? field(emit('Gather', [x, 'first'], 'text_cls', { numbers: { axis: 2 } }))
      : mean('text', x, 'tokenMask');

  /** R_t [b, k, 1, 1] */
  const text = (): string => {
    const reduce = (x: string): string => leaky(dense(leaky(dense(x, 'text_fc1')), 'text_fc2'));
    if (config.attention === 'feature') {
      const reduced = reduce(pool(turn('tokens')));
      return emit('Add', [reduced, dense(reduced, 'text_value')], 'text_part');
    }
    const rows = emit('Unsqueeze', ['tokens', 'channel_axis'], 'token_rows'); // [b, 1, t, d]
    return pool(attention('text', reduce(rows), 'tokenMask'));
  };

  /** R_e [b, k, 1, 1] */
  const entity = (): string => {
    const tags = emit('Cast', ['entities'], 'tags', { numbers: { to: INT64 } });
    const embedded = emit('Gather', ['entity_embedding', tags], 'entity_embedded'); // [b, 16, k]
    const mask = emit('Min', ['entities', 'one'], 'entity_mask');
    const pooled = mean('entity', attention('entity', field(turn(embedded)), mask), mask);
    const some = emit('Min', ['entity_count', 'one'], 'entity_some'); // [b, 1]
    const empty = emit(
      'Unsqueeze',
      [emit('Sub', ['one', some], 'entity_empty'), 'field_axes'],
      'entity_none_share',
    );
    return emit('Add', [pooled, emit('Mul', [empty, 'entity_none'], 'entity_none_part')], 'entity_part');
  };

  /** R_v [b, k, 1, 1]. The normalisation is in the first layer's weights. */
  const image = (): string =>
    leaky(
      dense(
        leaky(dense(emit('Unsqueeze', ['imageLogits', 'field_axes'], 'image_field'), 'image_fc1')),
        'image_fc2',
      ),
    );

  /** F(condition) ⊙ x + H(condition) */
  const affine = (head: string, side: string, condition: string, x: string): string => {
    const mlp = (part: string): string => {
      const layer = `affine_${side}_${part}`;
      const first = emit('Relu', [dense(condition, `${layer}1`, head)], `${head}${layer}_relu`);
      return dense(first, `${layer}2`, head);
    };
    const scaled = emit('Mul', [mlp('scale'), x], `${head}affine_${side}_scaled`);
    return emit('Add', [scaled, mlp('shift')], `${head}affine_${side}`);
  };
  /** R_u, R_v → R_s [b, 2k, 1, 1], 3k for both directions. */
  const fuse = (head: string, joint: string, visual: string): string => {
    const parts = config.fusion === 'concat' ? [visual] : [];
    if (config.fusion === 'affine' && config.affine !== 'image->text')
      parts.push(affine(head, 'image', joint, visual));
    if (config.fusion === 'affine' && config.affine !== 'text->image')
      parts.push(affine(head, 'text', visual, joint));
    return emit('Concat', [...parts, joint], `${head}total`, { numbers: { axis: 1 } });
  };
  const detect = (head: string, total: string): string => {
    const hidden = leaky(dense(total, 'detector_fc', head));
    return emit('Flatten', [dense(hidden, 'detector_logits', head)], `${head}logits`);
  };

  const spoken = [config.text ? text() : '', config.entity ? entity() : ''].filter((part) => part !== '');
  const joint = spoken.length === 2 ? emit('Add', spoken, 'joint') : spoken[0];
  const visual = config.image ? image() : undefined;
  const heads: string[] = [];
  if (joint && visual) {
    heads.push(
      detect('', fuse('', joint, visual)),
      detect('text_', fuse('text_', joint, emit('Mul', [visual, 'zero'], 'no_picture'))),
      detect('image_', fuse('image_', emit('Mul', [joint, 'zero'], 'no_text'), visual)),
    );
  } else heads.push(detect('', joint ?? (visual as string)));

  const inputs: OnnxPort[] = [];
  if (config.text)
    inputs.push(
      { name: 'tokens', shape: [dims.tokens, dims.text] },
      { name: 'tokenMask', shape: [dims.tokens] },
    );
  if (config.entity) inputs.push({ name: 'entities', shape: [MAX_ENTITIES] });
  if (config.image) inputs.push({ name: 'imageLogits', shape: [dims.imageLogits] });
  const used = new Set(nodes.flatMap((node) => node.inputs));
  const outputs = layers.getLayer('detector_logits').getWeights()[0]?.shape[1] as number;
  return encodeOnnx({
    name: 'mafn',
    inputs,
    outputs: heads.map((name) => ({ name, shape: [outputs] })),
    nodes,
    weights: mafnWeights(tf, layers, config).filter(({ name }) => used.has(name)),
    integers: Object.fromEntries(Object.entries(INTEGERS).filter(([name]) => used.has(name))),
  });
}

/** tfjs' weights as convolutions: [in, out] → [out, in, 1, 1]. */
function mafnWeights(tf: Tf, layers: LayersModel, config: MafnConfig): OnnxWeights[] {
  const weights: OnnxWeights[] = [];
  const add = (name: string, tensor: Tensor): void => {
    weights.push({ name, shape: tensor.shape, values: tensor.dataSync() as Float32Array });
  };
  const asFilter = (kernel: Tensor): Tensor => {
    const [from, to] = kernel.shape as [number, number];
    return tf.reshape(tf.transpose(kernel), [to, from, 1, 1]);
  };
  tf.tidy(() => {
    for (const layer of layers.layers) {
      const [kernel, bias] = layer.getWeights();
      if (kernel?.rank !== 2) continue;
      const [from, to] = kernel.shape as [number, number];
      if (layer.name === 'text_fc1' && config.attention === 'token') {
        add(layer.name, tf.reshape(tf.transpose(kernel), [to, 1, 1, from])); // over the rows of [b, 1, t, d]
        add(`${layer.name}_bias`, bias as Tensor);
      } else if (layer.name === 'image_fc1') {
        // norm(W x + b) = (s W) x + s (b − mean) + beta, s = gamma / √(variance + ε)
        const [gamma, beta, mean, variance] = layers.getLayer('image_norm').getWeights() as [
          Tensor,
          Tensor,
          Tensor,
          Tensor,
        ];
        const scale = tf.mul(gamma, tf.rsqrt(tf.add(variance, NORM_EPSILON)));
        add(layer.name, asFilter(tf.mul(kernel, scale)));
        add(`${layer.name}_bias`, tf.add(tf.mul(tf.sub(bias as Tensor, mean), scale), beta));
      } else if (layer.name === 'entity_embedding') {
        add(layer.name, tf.concat([tf.zeros([1, to]), kernel])); // row 0 is padding
      } else if (layer.name === 'entity_none') {
        add(layer.name, tf.reshape(kernel, [1, to, 1, 1]));
      } else {
        const scale = layer.name.endsWith('_query') ? 1 / Math.sqrt(to) : 1; // of the attention
        add(layer.name, asFilter(tf.mul(kernel, scale)));
        if (bias) add(`${layer.name}_bias`, bias);
      }
    }
    add('zero', tf.tensor1d([0]));
    add('one', tf.tensor1d([1]));
    add('large', tf.tensor1d([1e9]));
  });
  return weights;
}
