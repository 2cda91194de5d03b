/** An encoder's thread: tokenises, runs the network row by row, rounds to float16. Runs in worker_threads. */
import { parentPort, workerData } from 'node:worker_threads';
import { Tokenizer } from '@huggingface/tokenizers';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { halfTable, toHalves } from '../half.ts';
import { type Packed, PICTURE_SIDE } from './contract.ts';
import { type EncodeJob, type EncodeReply, MAX_CHARACTERS, type ThreadData } from './protocol.ts';

const { model, tokenizer, maxTokens, planes, outputs } = workerData as ThreadData;
const floats = halfTable();
// ONNX Runtime takes no shared memory, so it is handed a copy, which it keeps no longer than loading takes.
const session = await InferenceSession.create(new Uint8Array(model).slice(), {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
});
const tokens = tokenizer === null ? null : new Tokenizer(JSON.parse(tokenizer) as object, {});

/** Token ids, both marks kept however long the text is. */
function idsOf(text: string, from: Tokenizer): number[] {
  // A lone half of a surrogate pair becomes U+FFFD, as it does wherever a text is hashed or stored.
  const { ids } = from.encode(Buffer.from(text.slice(0, MAX_CHARACTERS), 'utf8').toString('utf8'));
  return ids.length <= maxTokens ? ids : [...ids.slice(0, maxTokens - 1), ids.at(-1) as number];
}

/** [sentence d | tokens n × d]: token vectors and their mean. */
async function encodeText(text: string, from: Tokenizer): Promise<Packed> {
  const ids = idsOf(text, from);
  const n = ids.length;
  const row = (value: (i: number) => number): Tensor =>
    new Tensor(
      'int64',
      BigInt64Array.from({ length: n }, (_, i) => BigInt(value(i))),
      [1, n],
    );
  const all: Readonly<Record<string, Tensor>> = {
    input_ids: row((i) => ids[i] as number),
    attention_mask: row(() => 1),
    token_type_ids: row(() => 0),
  };
  const feeds = Object.fromEntries(session.inputNames.map((name) => [name, all[name] as Tensor]));
  const result = await session.run(feeds);
  const halves = toHalves(result[outputs[0] as string]?.data as Float32Array); // [n, d]
  const d = halves.length / n;
  const mean = new Float32Array(d);
  for (let j = 0; j < d; j += 1) {
    let sum = 0;
    for (let i = 0; i < n; i += 1) sum += floats[halves[i * d + j] as number] as number;
    mean[j] = sum / n;
  }
  const packed = new Uint16Array(d + halves.length);
  packed.set(toHalves(mean));
  packed.set(halves, d);
  return packed;
}

async function encodePicture(pixels: Uint8Array): Promise<Packed> {
  const shape = [1, PICTURE_SIDE, PICTURE_SIDE, 3];
  const result = await session.run({
    [session.inputNames[0] as string]: planes
      ? new Tensor('float32', toPlanes(pixels, planes), [1, 3, PICTURE_SIDE, PICTURE_SIDE])
      : new Tensor('uint8', pixels, shape),
  });
  const parts = outputs.map((name) => toHalves(result[name]?.data as Float32Array));
  const packed = new Uint16Array(parts.reduce((sum, part) => sum + part.length, 0));
  parts.reduce((from, part) => {
    packed.set(part, from);
    return from + part.length;
  }, 0);
  return packed;
}

function toPlanes(pixels: Uint8Array, { mean, deviation }: NonNullable<ThreadData['planes']>): Float32Array {
  const size = PICTURE_SIDE * PICTURE_SIDE;
  const values = new Float32Array(3 * size);
  for (let c = 0; c < 3; c += 1)
    for (let i = 0; i < size; i += 1)
      values[c * size + i] =
        ((pixels[i * 3 + c] as number) / 255 - (mean[c] as number)) / (deviation[c] as number);
  return values;
}

async function answer({ id, samples }: EncodeJob): Promise<void> {
  let reply: EncodeReply;
  try {
    const rows: Packed[] = [];
    for (const sample of samples)
      rows.push(
        typeof sample === 'string'
          ? await encodeText(sample, tokens as Tokenizer)
          : await encodePicture(sample),
      );
    reply = { id, answer: rows };
  } catch (thrown) {
    reply = { id, error: thrown instanceof Error ? thrown.message : String(thrown) };
  }
  parentPort?.postMessage(
    reply,
    'answer' in reply ? reply.answer.map((row) => row.buffer as ArrayBuffer) : [],
  );
}

let last: Promise<void> = Promise.resolve();
parentPort?.on('message', (message: EncodeJob | 'close') => {
  last = last.then(async () => {
    if (message !== 'close') return answer(message);
    await session.release();
    parentPort?.close();
  });
});
parentPort?.postMessage('ready');
