/** A picture classifier that the user gives as an ONNX file → one that also tells what its last layer reads. */
import proto from 'onnx-proto';
import { TocsinError } from '../../base/errors.ts';
import { PICTURE_SIDE } from './contract.ts';

const { ModelProto, TensorProto } = proto.onnx;
type Graph = proto.onnx.IGraphProto;

/**
 * The same network with outputs `features` [1, f] (input of the last dense layer) and `logits` [1, l]. Throws
 * MODEL_INVALID, saying what is wanted, for a file that is no such network.
 */
export function exposeFeatures(
  file: Uint8Array,
  sizes: { readonly features: number; readonly logits: number },
): Uint8Array {
  const refuse = (what: string, cause?: unknown): TocsinError =>
    new TocsinError('MODEL_INVALID', `Reading the network: ${what}`, { cause });
  let model: proto.onnx.ModelProto;
  try {
    model = ModelProto.decode(file);
  } catch (cause) {
    throw refuse('it is no ONNX file.', cause);
  }
  const { graph } = model;
  if (!graph) throw refuse('it is no ONNX file.');
  const weights = new Map((graph.initializer ?? []).map((tensor) => [tensor.name, tensor]));
  const inputs = (graph.input ?? []).filter(({ name }) => !weights.has(name));
  const shape = inputs[0]?.type?.tensorType?.shape?.dim?.map(({ dimValue }) => Number(dimValue ?? 0)) ?? [];
  if (inputs.length !== 1 || shape.slice(1).join() !== `3,${PICTURE_SIDE},${PICTURE_SIDE}`)
    throw refuse(`it must take one picture [1, 3, ${PICTURE_SIDE}, ${PICTURE_SIDE}].`);
  const head = lastDense(graph);
  const kernel = weights.get(head?.input?.[1] ?? '')?.dims?.map(Number) ?? [];
  if (!head || [...kernel].sort((a, b) => a - b).join() !== [sizes.logits, sizes.features].join())
    throw refuse(
      `its last layer must be dense, from ${sizes.features} features to ${sizes.logits} logits; it has ${kernel.join(' × ') || 'no weights'}.`,
    );
  const [features, logits] = [head.input?.[0] as string, head.output?.[0] as string];
  graph.node = [
    ...(graph.node ?? []),
    { opType: 'Identity', name: 'features', input: [features], output: ['features'] },
    { opType: 'Identity', name: 'logits', input: [logits], output: ['logits'] },
  ];
  graph.output = Object.entries(sizes).map(([name, size]) => ({
    name,
    type: {
      tensorType: {
        elemType: TensorProto.DataType.FLOAT,
        shape: { dim: [{ dimParam: 'batch' }, { dimValue: size }] },
      },
    },
  }));
  return ModelProto.encode(model).finish();
}

/** The Gemm or MatMul that the network's output comes from; what only adds, reshapes or normalises it is passed over. */
function lastDense({ node = [], output = [] }: Graph): proto.onnx.INodeProto | undefined {
  let name = output?.[0]?.name;
  for (let step = 0; step < (node?.length ?? 0); step += 1) {
    const from = node?.find((candidate) => candidate.output?.includes(name ?? ''));
    if (!from || from.opType === 'Gemm') return from;
    if (!['Softmax', 'Identity', 'Flatten', 'Reshape'].includes(from.opType ?? '')) return undefined;
    name = from.input?.[0];
  }
  return undefined;
}
