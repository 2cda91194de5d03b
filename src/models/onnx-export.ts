/**
 * MMN (tfjs) → the two ONNX graphs that serve it: one for text alone, one for text and picture together.
 *
 * Every layer is written as a convolution, the dense ones over a 1×1 field. ONNX Runtime computes a convolution post by
 * post, so the result of a post cannot depend on who shares its batch; a matrix product over the batch picks its
 * kernel by the number of rows. (It is also the fastest of five forms that were measured for the text graph.)
 */
import type { Tensor } from '@tensorflow/tfjs';
import type { Tf } from './engine/tf.ts';
import { encodeOnnx, type OnnxNode, type OnnxPort, type OnnxWeights } from './onnx-graph.ts';
import { MAX_WORDS, WORD_DIMENSIONS } from './words.ts';
import { PICTURE_SIDE } from './zoo/branches.ts';
import type { Network } from './zoo/contract.ts';
import type { MmnConfig } from './zoo/mmn.ts';

export interface MmnOnnx {
  /** `words` [b, 15, 100] → `text_logit` [b, outputs], the picture being absent. */
  readonly text: Uint8Array;
  /**
   * `words` [b, 15, 100], `pictures` [b, 64, 64, 3] in [0, 1] → `logit` from both, `text_logit` without the picture,
   * `image_logit` without the text; each [b, outputs].
   */
  readonly joint: Uint8Array;
}

/** Exports the weights that the network, built with `config`, has now. */
export function exportMmn(tf: Tf, mmn: Network, config: MmnConfig): MmnOnnx {
  const weights = mmnWeights(tf, mmn, config);
  const words: OnnxPort = { name: 'words', shape: [MAX_WORDS, WORD_DIMENSIONS] };
  const pictures: OnnxPort = { name: 'pictures', shape: [PICTURE_SIDE, PICTURE_SIDE, 3] };
  const text = [...textNodes(config), ...headNodes('text', 'text_part')];
  const joint = [
    ...textNodes(config),
    ...imageNodes(),
    node('Add', ['text_part', 'image_part'], 'both_part'),
    node('Add', ['image_part', 'fusion_bias'], 'image_alone_part'),
    ...headNodes('text', 'text_part'),
    ...headNodes('image', 'image_alone_part'),
    ...headNodes('both', 'both_part'),
    node('Identity', ['both_logit'], 'logit'),
  ];
  const outputs = weights.find(({ name }) => name === 'logit_bias')?.shape[0] ?? 1;
  const logit = (name: string): OnnxPort => ({ name, shape: [outputs] });
  const encode = (name: string, inputs: OnnxPort[], outputs: OnnxPort[], nodes: OnnxNode[]): Uint8Array => {
    const used = new Set(nodes.flatMap((n) => n.inputs));
    return encodeOnnx({
      name,
      inputs,
      outputs,
      nodes,
      weights: weights.filter((w) => used.has(w.name)),
      integers: { channel_axis: [1] },
    });
  };
  return {
    text: encode('mmn_text', [words], [logit('text_logit')], text),
    joint: encode(
      'mmn_joint',
      [words, pictures],
      [logit('logit'), logit('text_logit'), logit('image_logit')],
      joint,
    ),
  };
}

const node = (op: string, inputs: string[], output: string, lists?: Record<string, number[]>): OnnxNode =>
  lists ? { op, inputs, output, lists } : { op, inputs, output };

/** words [b, 15, 100] → text's share of the fusion layer, bias included. [b, fusion, 1, 1] */
function textNodes(config: MmnConfig): OnnxNode[] {
  return [
    node('Unsqueeze', ['words', 'channel_axis'], 'words_field'), // [b, 1, 15, 100]
    node('Conv', ['words_field', 'text_conv', 'text_conv_bias'], 'text_conv_out', {
      kernel_shape: [config.textWindow, WORD_DIMENSIONS],
    }), // [b, 64, 14, 1]
    node('Relu', ['text_conv_out'], 'text_relu'),
    node('GlobalMaxPool', ['text_relu'], 'text_representation'), // [b, 64, 1, 1]
    node('Conv', ['text_representation', 'fusion_text', 'fusion_bias_list'], 'text_part'),
  ];
}

/** pictures [b, 64, 64, 3] → picture's share of the fusion layer, without bias. [b, fusion, 1, 1] */
function imageNodes(): OnnxNode[] {
  const block = (index: number, from: string): OnnxNode[] => [
    node('Conv', [from, `image_conv${index}`, `image_conv${index}_bias`], `image_conv${index}_out`),
    node('Relu', [`image_conv${index}_out`], `image_relu${index}`),
    node('MaxPool', [`image_relu${index}`], `image_pool${index}`, { kernel_shape: [2, 2], strides: [2, 2] }),
  ];
  return [
    node('Transpose', ['pictures'], 'pictures_planes', { perm: [0, 3, 1, 2] }),
    ...block(1, 'pictures_planes'),
    ...block(2, 'image_pool1'),
    node('Conv', ['image_pool2', 'image_dense', 'image_dense_bias'], 'image_dense_out'), // [b, 64, 1, 1]
    node('Relu', ['image_dense_out'], 'image_representation'),
    node('Conv', ['image_representation', 'fusion_image'], 'image_part'),
  ];
}

/** The fusion layer before its relu → the logits. [b, outputs] */
function headNodes(name: string, from: string): OnnxNode[] {
  return [
    node('Relu', [from], `${name}_fused`),
    node('Conv', [`${name}_fused`, 'logit_weights', 'logit_bias'], `${name}_logit_field`),
    node('Flatten', [`${name}_logit_field`], `${name}_logit`),
  ];
}

/** tfjs' weights in ONNX' order: [out, in, height, width]. */
function mmnWeights(tf: Tf, mmn: Network, config: MmnConfig): OnnxWeights[] {
  const { textWindow, textFilters, imageFilters, imageUnits, fusionUnits } = config;
  const weights: OnnxWeights[] = [];
  const add = (name: string, tensor: Tensor): void => {
    weights.push({ name, shape: tensor.shape, values: tensor.dataSync() as Float32Array });
  };
  tf.tidy(() => {
    const of = (layer: string): [Tensor, Tensor] =>
      mmn.layers.getLayer(layer).getWeights() as [Tensor, Tensor];
    const [textKernel, textBias] = of('text_conv'); // [window, 100, filters]
    add(
      'text_conv',
      tf.reshape(tf.transpose(textKernel, [2, 0, 1]), [textFilters, 1, textWindow, WORD_DIMENSIONS]),
    );
    add('text_conv_bias', textBias);
    for (const layer of ['image_conv1', 'image_conv2']) {
      const [kernel, bias] = of(layer); // [3, 3, in, out]
      add(layer, tf.transpose(kernel, [3, 2, 0, 1]));
      add(`${layer}_bias`, bias);
    }
    const [denseKernel, denseBias] = of('image_dense'); // [side · side · filters, units], flattened row by row
    const side = Math.sqrt((denseKernel.shape[0] as number) / imageFilters[1]);
    add(
      'image_dense',
      tf.transpose(tf.reshape(denseKernel, [side, side, imageFilters[1], imageUnits]), [3, 2, 0, 1]),
    );
    add('image_dense_bias', denseBias);
    const [fusionKernel, fusionBias] = of('fusion'); // [text + image, fusion]
    const part = (from: number, size: number): Tensor =>
      tf.reshape(tf.transpose(tf.slice(fusionKernel, [from, 0], [size, fusionUnits])), [
        fusionUnits,
        size,
        1,
        1,
      ]);
    add('fusion_text', part(0, textFilters));
    add('fusion_image', part(textFilters, imageUnits));
    add('fusion_bias_list', fusionBias);
    add('fusion_bias', tf.reshape(fusionBias, [1, fusionUnits, 1, 1]));
    const [logitKernel, logitBias] = of('logit'); // [fusion, outputs]
    const outputs = logitBias.size;
    add('logit_weights', tf.reshape(tf.transpose(logitKernel), [outputs, fusionUnits, 1, 1]));
    add('logit_bias', logitBias);
  });
  return weights;
}
