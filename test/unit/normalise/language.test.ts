import { describe, expect, it } from 'vitest';
import { createLanguageId } from '../../../src/normalise/language.ts';
import { normaliseText } from '../../../src/normalise/text.ts';

describe('language of a post', () => {
  const languages = createLanguageId();
  const of = (raw: string, claimed: string | null = null): string =>
    languages.of(normaliseText(raw).text, claimed);

  it.each([
    ['Flooded streets in Houston, please send boats', 'en'],
    ['Inundaciones en la ciudad, necesitamos ayuda urgente', 'es'],
    ['Hochwasser in Dresden, die Brücke ist gesperrt', 'de'],
    ['سیل در تهران خیابان ها را بسته است', 'fa'],
    ['こんにちは、地震がありました', 'ja'],
    ['RT @joe: Flooded streets in Houston, please send boats https://t.co/abc #help', 'en'],
  ])('%s → %s', (raw, expected) => {
    expect(of(raw)).toBe(expected);
  });

  it.each(['', '12345 !!!', 'https://t.co/x @joe', '🔥🔥🔥'])(
    'says und where there is nothing to read: %j',
    (raw) => {
      expect(of(raw)).toBe('und');
    },
  );

  it('takes the claim of the source only where the text does not settle it', () => {
    expect(of('lol omg', 'en')).toBe('en');
    expect(of('', 'tl')).toBe('tl');
    expect(of('Inundaciones en la ciudad, necesitamos ayuda urgente', 'en')).toBe('es');
    expect(of('', 'not a code')).toBe('und');
  });
});
