/** Opens an encoder: verified files, ONNX Runtime in threads, one thread of computation each. */
import { createHash } from 'node:crypto';
import { env } from 'onnxruntime-node';
import { TocsinError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import { startThread } from '../../base/thread.ts';
import { openThreadPool } from '../thread-pool.ts';
import { ENCODER_FILES, type EncoderRow } from './catalogue.ts';
import { type Encoder, type Modality, type Packed, PICTURE_SIDE, type Samples } from './contract.ts';
import { expectedFiles, readVerified } from './files.ts';
import { type EncodeJob, MAX_CHARACTERS, type ThreadData } from './protocol.ts';

/** Samples in one message to a thread: enough to hide the message, few enough to keep all threads busy. */
const JOB = { text: 8, image: 2 } as const;
const PICTURE_BYTES = PICTURE_SIDE * PICTURE_SIDE * 3;

/**
 * @param modality must be the row's
 * Throws DEPENDENCY_MISSING when it is not installed, MODEL_INVALID when a file is not the expected one or cannot be run.
 */
export async function openEncoder<M extends Modality>(
  row: EncoderRow,
  modality: M,
  deps: { readonly dir: string; readonly threads: number; readonly log: Log },
): Promise<Encoder<M>> {
  if (row.modality !== modality)
    throw new TocsinError('BAD_USAGE', `Encoder ${row.id} reads ${row.modality}, not ${modality}.`);
  const files = expectedFiles(row, deps.dir);
  const bytes = (name: string): Uint8Array => {
    const file = files.find((candidate) => candidate.name === name);
    if (!file) throw new TocsinError('MODEL_INVALID', `Encoder ${row.id} has no file ${name}.`);
    return readVerified(deps.dir, file);
  };
  const model = bytes(ENCODER_FILES.model);
  const tokenizer = modality === 'text' ? Buffer.from(bytes(ENCODER_FILES.tokenizer)).toString('utf8') : null;
  const { maxTokens, planes, networkOutputs: outputs } = row;
  const data: ThreadData = {
    model: model.buffer as SharedArrayBuffer,
    tokenizer,
    maxTokens,
    planes,
    outputs,
  };
  const pool = await openThreadPool<Omit<EncodeJob, 'id'>, readonly Packed[]>({
    threads: deps.threads,
    log: deps.log,
    doing: `Encoding by ${row.id}`,
    start: () =>
      startThread(import.meta.url, './encode-thread', { workerData: data, name: `tocsin-${row.id}` }),
  });
  return {
    id: row.id,
    version: row.version,
    engine: `onnxruntime-node ${env.versions.node}`,
    modality,
    outputs: row.outputs,
    differentiable: false,
    preprocess: createHash('sha256')
      .update(JSON.stringify({ maxTokens, planes, outputs, characters: MAX_CHARACTERS, rounding: 'float16' }))
      .update(tokenizer ?? '')
      .digest('hex'),
    weights: {
      sha256: files.find(({ name }) => name === ENCODER_FILES.model)?.sha256 as string,
      licence: row.licence,
      origin: row.origin,
    },
    async encode(batch) {
      if (modality === 'image') batch.forEach(checkPicture);
      const jobs: Promise<readonly Packed[]>[] = [];
      for (let from = 0; from < batch.length; from += JOB[modality])
        jobs.push(pool.run({ samples: batch.slice(from, from + JOB[modality]) }));
      return (await Promise.all(jobs)).flat();
    },
    close: () => pool.close(),
  };
}

function checkPicture(pixels: Samples[Modality], index: number): void {
  if (pixels.length !== PICTURE_BYTES)
    throw new TocsinError(
      'BAD_RECORD',
      `Encoding picture ${index} of a batch: ${pixels.length} bytes, not ${PICTURE_SIDE} × ${PICTURE_SIDE} RGB.`,
    );
}
