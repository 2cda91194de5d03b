/** The detector without its thread, for suites that make many label workers. */
import { createLanguageId } from '../../src/normalise/language.ts';
import type { Languages } from '../../src/normalise/languages.ts';

const detector = createLanguageId();

export const inlineLanguages: Languages = {
  identify: async (texts) => texts.map(({ text, claimed }) => detector.of(text, claimed)),
  close: async () => {},
};
