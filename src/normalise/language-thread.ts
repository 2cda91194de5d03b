/** The thread that says which language texts are in: a third of the label worker's time, taken off its main thread. */
import { parentPort } from 'node:worker_threads';
import { createLanguageId } from './language.ts';
import type { LanguageAnswer, LanguageQuestion } from './languages.ts';

const languages = createLanguageId();

parentPort?.on('message', ({ id, texts }: LanguageQuestion) => {
  const answer: LanguageAnswer = {
    id,
    languages: texts.map(({ text, claimed }) => languages.of(text, claimed)),
  };
  parentPort?.postMessage(answer);
});
