/** Stage: gives a post its normalised text and its language; pictures and answers pass. */
import { assertNever } from '../base/errors.ts';
import type { Decoded, Read } from '../pipeline/post.ts';
import { passed, type Stage } from '../pipeline/stage.ts';
import type { LanguageId } from './language.ts';
import { normaliseText } from './text.ts';

export function createNormaliseStage(languages: LanguageId): Stage<Decoded, Read> {
  const read = ({ event, lineage, record }: Decoded): Read => {
    switch (event.kind) {
      case 'PostEvent': {
        const { text, flags } = normaliseText(event.text);
        return { kind: 'post', event, lineage, text, flags, language: languages.of(text, event.language) };
      }
      case 'PictureEvent':
        return { kind: 'picture', event, lineage, receivedAt: record.timestamp };
      case 'MediaEvent':
        return { kind: 'answer', event, lineage };
      default:
        return assertNever(event);
    }
  };
  return {
    name: 'normalise',
    process: async (batch) => batch.map((decoded) => passed(read(decoded))),
  };
}
