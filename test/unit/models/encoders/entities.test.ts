/** The entity tagger: sentences made for this project, and silence where the rules know nothing. */
import { describe, expect, it } from 'vitest';
import {
  createEntityTagger,
  ENTITY_TYPES,
  entityColumn,
  MAX_ENTITIES,
} from '../../../../src/models/encoders/entities.ts';

const tagger = createEntityTagger();

describe('createEntityTagger', () => {
  it.each([
    ['Hurricane Mara hit Port Alder on Tuesday at 3 pm and killed two people.', 'EVENT DATE TIME CARDINAL'],
    ['The Red Cross sent $2 million and tents to Houston, Texas.', 'ORG MONEY GPE'],
    [
      'Mayor Ana Ruiz said 40% of the First National Bank was flooded by the Ohio River.',
      'PERSON PERCENT ORG LOC',
    ],
    ['French and Muslim volunteers speak Spanish near the Golden Gate Bridge.', 'NORP NORP LANGUAGE FAC'],
    ['The second truck drove 12 km in two hours.', 'ORDINAL QUANTITY TIME'],
    ['The Clean Water Act was signed in 1972.', 'LAW DATE'],
    ['Ten days later 20 euros bought nothing.', 'DATE MONEY'],
    ['Over 90 percent of homes in Los Angeles and New York City lost power.', 'PERCENT GPE GPE'],
    ['RT @texas: Flood in #Colorado http://texas.example.org pray', 'GPE'],
    ['please help us now', ''],
  ])('%s', (text, tags) => {
    expect(tagger.tag(text).join(' ')).toBe(tags);
  });

  it.each([
    '地震发生在四川省成都市，5月12日',
    'Землетрясение в Москве 5 мая',
    'زلزال في 5 مايو',
    '🙏🙏',
    '',
    '…!?',
  ])('says nothing about what it cannot read: %s', (text) => {
    expect(tagger.tag(text)).toEqual([]);
  });

  it('gives the same tags whatever it read before', () => {
    const text = 'Two nurses from Nepal met Ana Ruiz on Friday.';
    const first = createEntityTagger().tag(text);
    expect(first).toEqual(['CARDINAL', 'GPE', 'PERSON', 'DATE']);
    tagger.tag('Texas, Texas, Texas.');
    expect(tagger.tag(text)).toEqual(first);
  });

  it('keeps the first sixteen', () => {
    const many = 'Japan, then Nepal, then Texas on Friday. '.repeat(20);
    expect(tagger.tag(many)).toHaveLength(MAX_ENTITIES);
    expect(tagger.tag(many).slice(0, 4)).toEqual(tagger.tag('Japan, then Nepal, then Texas on Friday.'));
  });
});

describe('entityColumn', () => {
  it('numbers the types of OntoNotes in alphabetical order from 1 and pads with 0', () => {
    expect([...ENTITY_TYPES].sort()).toEqual(ENTITY_TYPES);
    expect(ENTITY_TYPES).toHaveLength(18);
    const column = entityColumn(tagger, 'Two people died in Texas.');
    expect([...column]).toEqual([1, 5, ...Array(14).fill(0)]);
  });
});
