/**
 * The entity branch for Chinese: the part-of-speech tags of `jieba-wasm` (dictionary and hidden Markov model) mapped to
 * OntoNotes' types, with a few rules for numbers, places and titles. It never gives LANGUAGE.
 */
import { tag as tagWords } from 'jieba-wasm';
import { type EntityTagger, type EntityType, MAX_CHARACTERS, MAX_ENTITIES } from './entities.ts';

interface Word {
  readonly word: string;
  /** Of jieba: n… names and nouns, m numbers, q units, t times, x marks. */
  readonly tag: string;
}

export function createChineseTagger(): EntityTagger {
  return {
    id: 'jieba',
    version: '1',
    tag(text) {
      const words = tagWords(text.slice(0, MAX_CHARACTERS), true) as Word[];
      const found: EntityType[] = [];
      for (let i = 0; i < words.length && found.length < MAX_ENTITIES; ) {
        const [type, length] = entityAt(words, i);
        if (type) found.push(type);
        i += length;
      }
      return found;
    },
  };
}

type Found = readonly [type: EntityType | null, length: number];

/** Words of a title that are read. */
const LONGEST_TITLE = 12;

function entityAt(words: readonly Word[], start: number): Found {
  const { word, tag } = words[start] as Word;
  if (word === '《') {
    const end = words.slice(start, start + LONGEST_TITLE).findIndex((other) => other.word === '》');
    if (end > 1) return [LAW.test((words[start + end - 1] as Word).word) ? 'LAW' : 'WORK_OF_ART', end + 1];
  }
  if (tag === 'm' || tag === 't') return counted(words, start);
  if (tag.startsWith('nr')) return ['PERSON', 1];
  if (tag === 'ns') return [placed(word), 1];
  if (tag === 'nt') return ['ORG', 1];
  if (tag === 'nz') return [EVENT.test(word) ? 'EVENT' : NORP.test(word) ? 'NORP' : null, 1];
  return [null, 1];
}

const LAW = /(?:法|法律|法规|条例|宪法|公约|规定)$/;
const EVENT = /(?:杯|节|奥运会|运动会|世博会|亚运会|战争|大战|地震)$/;
const NORP = /(?:人|族|教徒)$/;
const BUILT = /(?:桥|机场|医院|学校|大学|中学|小学|车站|体育馆|博物馆|大厦|广场|公路|路|街|港|寺|宫|塔)$/;
const NATURE = /(?:江|河|湖|海|洋|山|岛|湾|峡|沙漠|草原|高原)$/;

function placed(word: string): EntityType {
  if (BUILT.test(word)) return 'FAC';
  return NATURE.test(word) ? 'LOC' : 'GPE';
}

const CLOCK = /点|时|分钟|秒|凌晨|早上|上午|中午|下午|晚上/;
const CALENDAR = /年|月|日|号|天|周|星期|世纪|今|昨|明/;
const UNIT = /米|里|斤|克|吨|升|度|亩|平方|岁$/;

/** Neighbouring numbers, units and times are one entity: "3月20日", "200万元", "1.2米". */
function counted(words: readonly Word[], start: number): Found {
  let end = start;
  while (['m', 'q', 't'].includes(words[end]?.tag ?? '')) end += 1;
  const run = words.slice(start, end);
  const said = run.map(({ word }) => word).join('');
  return [
    countedAs(
      said,
      run.some(({ tag }) => tag === 't'),
    ),
    end - start,
  ];
}

function countedAs(said: string, isTime: boolean): EntityType {
  if (/[%％]|百分之/.test(said)) return 'PERCENT';
  if (/[元￥]|块钱?$|欧元|英镑/.test(said)) return 'MONEY';
  if (said.startsWith('第')) return 'ORDINAL';
  if (CLOCK.test(said)) return 'TIME';
  if (isTime || CALENDAR.test(said)) return 'DATE';
  return UNIT.test(said) ? 'QUANTITY' : 'CARDINAL';
}
