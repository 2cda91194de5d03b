/** A scoring thread: runs the graphs over rows of the word table, answers with logits. Runs in worker_threads. */
import { parentPort, workerData } from 'node:worker_threads';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { MAX_WORDS, WORD_DIMENSIONS } from '../words.ts';
import { PICTURE_SIDE } from '../zoo/branches.ts';
import { pictureGraph } from './picture-graph.ts';
import { LOGITS, PIXELS, type ScoreJob, type ScoreReply, type ThreadData } from './protocol.ts';
import { overRows, ROWS, TABLE } from './word-graph.ts';

/** Posts per run. More gains little (measured: bench/mmn.ts) and costs memory. */
const TEXT_BATCH = 64;
const JOINT_BATCH = 16;

const { text, joint, outputs, table } = workerData as ThreadData;
/** ONNX Runtime does not read shared memory. */
const halves = new Uint16Array(table).slice();
const vectors = new Tensor('float16', halves, [halves.length / WORD_DIMENSIONS, WORD_DIMENSIONS]);
const bytes = new Uint8Array(JOINT_BATCH * PIXELS);

const options: InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
};
const textSession = text ? await InferenceSession.create(overRows(text), options) : null;
const jointSession = joint ? await InferenceSession.create(overRows(joint), options) : null;
const pictureSession = joint ? await InferenceSession.create(pictureGraph(), options) : null;

/** Inputs for the posts from the given one on, n of them. */
const wordsOf = ({ words }: ScoreJob, from: number, n: number): Record<string, Tensor> => ({
  [ROWS]: new Tensor('int32', words.subarray(from * MAX_WORDS, (from + n) * MAX_WORDS), [n, MAX_WORDS]),
  [TABLE]: vectors,
});

/** Text alone: one row of logits a post. */
async function scoreText(session: InferenceSession, job: ScoreJob, out: Float32Array): Promise<void> {
  for (let from = 0; from < job.count; from += TEXT_BATCH) {
    const n = Math.min(TEXT_BATCH, job.count - from);
    const result = await session.run(wordsOf(job, from, n));
    out.set(result['text_logit']?.data as Float32Array, from * outputs);
  }
}

/** Text and picture: logits of both, of text alone and of the picture alone, for each post. */
async function scoreJoint(session: InferenceSession, job: ScoreJob, out: Float32Array): Promise<void> {
  const pixels = job.pixels as Uint8Array;
  for (let from = 0; from < job.count; from += JOINT_BATCH) {
    const n = Math.min(JOINT_BATCH, job.count - from);
    bytes.set(pixels.subarray(from * PIXELS, (from + n) * PIXELS));
    const { pictures } = await (pictureSession as InferenceSession).run({
      bytes: new Tensor('uint8', bytes.subarray(0, n * PIXELS), [n, PICTURE_SIDE, PICTURE_SIDE, 3]),
    });
    const result = await session.run({ ...wordsOf(job, from, n), pictures: pictures as Tensor });
    LOGITS.forEach((name, block) => {
      const logits = result[name]?.data as Float32Array;
      for (let i = 0; i < n; i += 1)
        out.set(
          logits.subarray(i * outputs, (i + 1) * outputs),
          ((from + i) * LOGITS.length + block) * outputs,
        );
    });
  }
}

async function answer(job: ScoreJob): Promise<void> {
  const session = job.pixels ? jointSession : textSession;
  const logits = new Float32Array(job.count * outputs * (job.pixels ? LOGITS.length : 1));
  let reply: ScoreReply;
  try {
    if (!session) throw new Error('this model has no such graph');
    await (job.pixels ? scoreJoint : scoreText)(session, job, logits);
    reply = { id: job.id, answer: logits };
  } catch (thrown) {
    reply = { id: job.id, error: thrown instanceof Error ? thrown.message : String(thrown) };
  }
  parentPort?.postMessage(reply, 'answer' in reply ? [logits.buffer] : []);
}

let last: Promise<void> = Promise.resolve();
parentPort?.on('message', (message: ScoreJob | 'close') => {
  // One job at a time: the buffers above are shared by all of them.
  last = last.then(async () => {
    if (message !== 'close') return answer(message);
    await textSession?.release();
    await jointSession?.release();
    await pictureSession?.release();
    parentPort?.close();
  });
});
parentPort?.postMessage('ready');
