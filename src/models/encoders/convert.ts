/** What a package holds → the files of an encoder. */
import { unzipSync } from 'fflate';
import { TocsinError } from '../../base/errors.ts';
import { ENCODER_FILES } from './catalogue.ts';

export type ConvertedFiles = ReadonlyMap<string, Uint8Array>;

/** A jar of LangChain4j: one network and its tokeniser, as they are. Throws MODEL_INVALID when they are not in it. */
export function fromLangchainJar(jar: Uint8Array): ConvertedFiles {
  const entries = Object.entries(unzipSync(jar, { filter: ({ name }) => /\.(onnx|json)$/.test(name) }));
  const pick = (ending: string): Uint8Array => {
    const found = entries.filter(([name]) => name.endsWith(ending));
    if (found.length !== 1)
      throw new TocsinError('MODEL_INVALID', `Unpacking an encoder: ${found.length} files end in ${ending}.`);
    return (found[0] as [string, Uint8Array])[1];
  };
  return new Map([
    [ENCODER_FILES.model, pick('.onnx')],
    [ENCODER_FILES.tokenizer, pick('tokenizer.json')],
  ]);
}
