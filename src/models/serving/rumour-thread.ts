/** The rumour thread: tags entities, unpacks vectors, runs MAFN, answers with margins. Runs in worker_threads. */
import { parentPort, workerData } from 'node:worker_threads';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { pictureColumns, textColumns } from '../encoders/columns.ts';
import { createEntityTagger, entityColumn, MAX_ENTITIES } from '../encoders/entities.ts';
import {
  type EncodedContent,
  HEADS,
  type RumourJob,
  type RumourReply,
  type RumourThreadData,
} from './rumour-protocol.ts';

/** Contents per run. */
const BATCH = 16;

const { model, dims, text, image } = workerData as RumourThreadData;
const tagger = createEntityTagger();
const unpackText = textColumns(text, dims.tokens);
const unpackPicture = pictureColumns(image);
const session = await InferenceSession.create(model, {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  // The arena never gives memory back; this graph needs little and always the same.
  enableCpuMemArena: false,
});

const SHAPES = {
  tokens: [dims.tokens, dims.text],
  tokenMask: [dims.tokens],
  entities: [MAX_ENTITIES],
  imageLogits: [dims.imageLogits],
} as const;
type Input = keyof typeof SHAPES;

/** Columns of a content that has them; what it lacks stays zero. */
const columnsOf = ({ text, tokens, picture }: EncodedContent): Partial<Record<Input, ArrayLike<number>>> => ({
  ...(tokens ? { ...unpackText(tokens), entities: entityColumn(tagger, text) } : {}),
  ...(picture ? unpackPicture(picture) : {}),
});

function feedsOf(contents: readonly EncodedContent[]): Record<string, Tensor> {
  const columns = contents.map(columnsOf);
  return Object.fromEntries(
    (session.inputNames as readonly Input[]).map((name) => {
      const size = SHAPES[name].reduce((product, side) => product * side, 1);
      const values = new Float32Array(contents.length * size);
      columns.forEach((column, i) => {
        values.set(column[name] ?? [], i * size);
      });
      return [name, new Tensor('float32', values, [contents.length, ...SHAPES[name]])];
    }),
  );
}

/** One logit, or those of no and yes → how far yes is ahead. */
function marginsOf(logits: Float32Array, contents: number): number[] {
  const outputs = logits.length / contents;
  return Array.from({ length: contents }, (_, i) =>
    outputs === 1 ? (logits[i] as number) : (logits[2 * i + 1] as number) - (logits[2 * i] as number),
  );
}

async function answer({ id, contents }: RumourJob): Promise<void> {
  let reply: RumourReply;
  try {
    const margins = new Float32Array(contents.length * HEADS.length);
    for (let from = 0; from < contents.length; from += BATCH) {
      const some = contents.slice(from, from + BATCH);
      const results = await session.run(feedsOf(some));
      HEADS.forEach((head, column) => {
        marginsOf(results[head]?.data as Float32Array, some.length).forEach((margin, i) => {
          margins[(from + i) * HEADS.length + column] = margin;
        });
      });
    }
    reply = { id, answer: margins };
  } catch (thrown) {
    reply = { id, error: thrown instanceof Error ? thrown.message : String(thrown) };
  }
  parentPort?.postMessage(reply, 'answer' in reply ? [reply.answer.buffer as ArrayBuffer] : []);
}

let last: Promise<void> = Promise.resolve();
parentPort?.on('message', (message: RumourJob | 'close') => {
  last = last.then(async () => {
    if (message !== 'close') return answer(message);
    await session.release();
    parentPort?.close();
  });
});
parentPort?.postMessage('ready');
