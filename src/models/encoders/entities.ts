/**
 * The entity branch: which kinds of things a text names, in reading order (MAFN's R_e). The paper runs a BERT recogniser
 * trained on OntoNotes; none can be had as a package, so a rule-based tagger stands behind the same seam.
 */
import nlp from 'compromise/two';

/** The 18 entity types of OntoNotes 5; a type's id is its place here, counted from 1. */
export const ENTITY_TYPES = [
  'CARDINAL',
  'DATE',
  'EVENT',
  'FAC',
  'GPE',
  'LANGUAGE',
  'LAW',
  'LOC',
  'MONEY',
  'NORP',
  'ORDINAL',
  'ORG',
  'PERCENT',
  'PERSON',
  'PRODUCT',
  'QUANTITY',
  'TIME',
  'WORK_OF_ART',
] as const;
export type EntityType = (typeof ENTITY_TYPES)[number];

/** Entities of a text that are kept. */
export const MAX_ENTITIES = 16;

export interface EntityTagger {
  readonly id: string;
  readonly version: string;
  /** One tag per entity, in reading order, at most 16. The same text gives the same tags. */
  tag(text: string): readonly EntityType[];
}

/**
 * The zoo's `entities` column of a text: ids 1 … 18, 0 pads. [16]
 *
 * @example entityColumn(createEntityTagger(), 'Two people died in Texas.') // CARDINAL, GPE: [1, 5, 0, …]
 */
export function entityColumn(tagger: EntityTagger, text: string): Int32Array {
  const ids = new Int32Array(MAX_ENTITIES);
  tagger.tag(text).forEach((type, i) => {
    ids[i] = ENTITY_TYPES.indexOf(type) + 1;
  });
  return ids;
}

const words = (list: string): ReadonlySet<string> => new Set(list.split(' '));

const NATURE = words(
  'river rivers lake lakes mountain mountains mount ocean sea bay gulf island islands valley coast creek canyon desert ' +
    'volcano glacier peninsula beach forest reef strait delta',
);
const BUILT = words(
  'bridge airport hospital school stadium dam highway street road avenue station tower church mosque temple port harbor ' +
    'harbour tunnel mall hotel palace library museum prison interstate levee',
);
const LAWS = words('act law constitution bill amendment treaty accord protocol');
const STORMS = words('hurricane typhoon cyclone superstorm storm');
const EVENTS = words(
  'earthquake quake floods flood war olympics festival marathon cup wildfire tsunami hurricane',
);
const GROUPS = words(
  'muslim muslims christian christians jew jews jewish hindu hindus sikh sikhs buddhist buddhists catholic catholics ' +
    'protestant protestants republican republicans democrat democrats',
);
const LANGUAGES = words(
  'english spanish french german italian portuguese dutch russian chinese mandarin cantonese japanese korean arabic hindi ' +
    'urdu bengali tamil punjabi nepali tagalog swahili hebrew turkish greek latin farsi pashto vietnamese thai',
);
const SPEAKING = words(
  'speak speaks speaking spoke spoken language translated translation translator interpreter',
);
const CLOCK = words('second seconds minute minutes hour hours hr hrs min mins');

interface Word {
  /** Lower case, without marks around it. */
  readonly plain: string;
  readonly tags: ReadonlySet<string>;
  readonly capital: boolean;
}

/** The rule-based tagger on `compromise`. It reads English; it never gives PRODUCT or WORK_OF_ART. */
export function createEntityTagger(): EntityTagger {
  return {
    id: 'compromise',
    version: '1',
    tag(text) {
      const read = text.slice(0, MAX_CHARACTERS);
      if (!isMostlyLatin(read)) return [];
      const found: EntityType[] = [];
      for (const sentence of sentencesOf(read)) found.push(...tagSentence(sentence));
      return found.slice(0, MAX_ENTITIES);
    },
  };
}

/** Characters of a text that are read. */
export const MAX_CHARACTERS = 4_096;
/** Share of letters that must be Latin: in other scripts the rules would only guess. */
const LATIN_SHARE = 0.5;

function isMostlyLatin(text: string): boolean {
  const letters = text.match(/\p{L}/gu)?.length ?? 0;
  const latin = text.match(/\p{Script=Latin}/gu)?.length ?? 0;
  return letters === 0 ? true : latin / letters >= LATIN_SHARE;
}

function sentencesOf(text: string): Word[][] {
  return nlp(text).docs.map((terms) =>
    terms.map(({ text: written, normal, tags }) => ({
      plain: normal.replace(/^#|[’']s$/g, ''),
      tags: new Set(tags ?? []),
      capital: /^[#"'(]*\p{Lu}/u.test(written),
    })),
  );
}

/** Neighbouring words of one kind are one entity; some kinds take in words beside them. */
function tagSentence(sentence: readonly Word[]): EntityType[] {
  const found: EntityType[] = [];
  for (let i = 0; i < sentence.length; ) {
    const [type, length] = entityAt(sentence, i);
    if (type) found.push(type);
    i += length;
  }
  return found;
}

type Found = readonly [type: EntityType | null, length: number];

function entityAt(sentence: readonly Word[], start: number): Found {
  const word = sentence[start] as Word;
  const has = (...tags: readonly string[]): boolean => tags.some((tag) => word.tags.has(tag));
  if (has('Url', 'Email', 'AtMention', 'Emoji', 'Emoticon') || !/[\p{Script=Latin}\d]/u.test(word.plain))
    return [null, 1];
  const run = (accepts: (w: Word) => boolean, from = start): number => {
    let end = from;
    while (end < sentence.length && accepts(sentence[end] as Word)) end += 1;
    return end - start;
  };
  const isValue = (w: Word): boolean => w.tags.has('Value') || w.tags.has('Money');

  const named = namedByItsWords(sentence, start);
  if (named) return named;
  if (has('Money')) return ['MONEY', run(isValue)];
  if (has('Percent')) return ['PERCENT', run(isValue)];
  if (has('Date', 'Time')) return dated(sentence, start);
  if (has('Ordinal')) return ['ORDINAL', 1];
  if (has('Value') && has('Cardinal')) {
    const length = run((w) => isValue(w) && !w.tags.has('Date'));
    const next = sentence[start + length];
    if (next?.tags.has('Money') || /^(dollars?|euros?|pounds?|rupees?|yen|pesos?)$/.test(next?.plain ?? ''))
      return ['MONEY', length + 1];
    if (/^(percent|per)$/.test(next?.plain ?? '')) return ['PERCENT', length + 1];
    if (next?.tags.has('Duration')) return [CLOCK.has(next.plain) ? 'TIME' : 'DATE', length + 1];
    if (next?.tags.has('Unit')) return ['QUANTITY', length + 1];
    return ['CARDINAL', Math.max(1, length)];
  }
  if (LANGUAGES.has(word.plain) && speaksNearby(sentence, start)) return ['LANGUAGE', 1];
  if (has('Demonym') || (GROUPS.has(word.plain) && word.capital)) return ['NORP', 1];
  if (has('Place')) return placed(sentence, start);
  if (has('Organization')) return ['ORG', run((w) => w.tags.has('Organization'))];
  if (has('Person')) return ['PERSON', run((w) => w.tags.has('Person'))];
  return [null, 1];
}

/** "Hurricane Mara", "the Clean Water Act", "Ohio River": capitalised words of which the first or last says what they are. */
function namedByItsWords(sentence: readonly Word[], start: number): Found | null {
  const isName = (w: Word | undefined): boolean => w?.capital === true && /\p{L}{2}/u.test(w.plain);
  let end = start;
  while (isName(sentence[end])) end += 1;
  const length = end - start;
  if (length < 2) return null;
  const first = (sentence[start] as Word).plain;
  const last = (sentence[end - 1] as Word).plain;
  if (STORMS.has(first) || EVENTS.has(last)) return ['EVENT', length];
  if (LAWS.has(last)) return ['LAW', length];
  if (BUILT.has(last)) return ['FAC', length];
  if (NATURE.has(last) || NATURE.has(first)) return ['LOC', length];
  return null;
}

function dated(sentence: readonly Word[], start: number): Found {
  let end = start;
  let isTime = false;
  while (sentence[end]?.tags.has('Date') || sentence[end]?.tags.has('Time')) {
    isTime ||= sentence[end]?.tags.has('Time') === true;
    end += 1;
  }
  return [isTime ? 'TIME' : 'DATE', end - start];
}

function placed(sentence: readonly Word[], start: number): Found {
  let end = start;
  const kinds = new Set<EntityType>();
  while (sentence[end]?.tags.has('Place')) {
    const { plain } = sentence[end] as Word;
    if (NATURE.has(plain)) kinds.add('LOC');
    if (BUILT.has(plain)) kinds.add('FAC');
    end += 1;
  }
  return [kinds.has('FAC') ? 'FAC' : kinds.has('LOC') ? 'LOC' : 'GPE', end - start];
}

const speaksNearby = (sentence: readonly Word[], at: number): boolean =>
  sentence.slice(Math.max(0, at - 3), at + 2).some(({ plain }) => SPEAKING.has(plain));
