/** Stage: gives a post its normalised text and its language; pictures and answers pass. */
import { assertNever } from '../base/errors.ts';
import type { Decoded, Read } from '../pipeline/post.ts';
import { passed, type Stage } from '../pipeline/stage.ts';
import type { Languages, LanguageText } from './languages.ts';
import { normaliseText } from './text.ts';

export function createNormaliseStage(languages: Languages): Stage<Decoded, Read> {
  return {
    name: 'normalise',
    async process(batch) {
      const normalised = batch.map(({ event }) =>
        event.kind === 'PostEvent' ? { ...normaliseText(event.text), claimed: event.language } : null,
      );
      const asked: LanguageText[] = normalised.flatMap((n) =>
        n ? [{ text: n.text, claimed: n.claimed }] : [],
      );
      const found = (await languages.identify(asked)).values();
      return batch.map(({ event, lineage, record }, i) => {
        switch (event.kind) {
          case 'PostEvent': {
            const { text, flags } = normalised[i] as { text: string; flags: readonly string[] };
            return passed<Read>({
              kind: 'post',
              event,
              lineage,
              text,
              flags,
              language: found.next().value as string,
            });
          }
          case 'PictureEvent':
            return passed<Read>({ kind: 'picture', event, lineage, receivedAt: record.timestamp });
          case 'MediaEvent':
            return passed<Read>({ kind: 'answer', event, lineage });
          default:
            return assertNever(event);
        }
      });
    },
  };
}
