import { afterEach, expect, it } from 'vitest';
import { createLanguageId } from '../../../src/normalise/language.ts';
import { openLanguages } from '../../../src/normalise/languages.ts';

const languages = openLanguages();
afterEach(() => languages.close());

const TEXTS = [
  { text: 'The river is over the bridge and the road to the hospital is closed', claimed: null },
  { text: 'El río ha cubierto el puente y la carretera al hospital está cerrada', claimed: null },
  { text: '🔗', claimed: 'tl' },
  { text: '', claimed: null },
];

it('says what the detector itself says, in order, for calls that overlap', async () => {
  const alone = createLanguageId();
  const expected = TEXTS.map(({ text, claimed }) => alone.of(text, claimed));
  const answers = await Promise.all([
    languages.identify(TEXTS),
    languages.identify([]),
    languages.identify([...TEXTS].reverse()),
  ]);
  expect(answers).toEqual([expected, [], [...expected].reverse()]);
  expect(expected).toEqual(['en', 'es', 'tl', 'und']);
});

it('fails what is asked while the thread ends, and works again at the next call', async () => {
  const lost = languages.identify(TEXTS);
  await languages.close();
  await expect(lost).rejects.toMatchObject({ code: 'MODEL_UNAVAILABLE', retryable: true });
  expect(await languages.identify(TEXTS.slice(0, 1))).toEqual(['en']);
});
