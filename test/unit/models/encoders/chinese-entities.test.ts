import { describe, expect, it } from 'vitest';
import { createChineseTagger } from '../../../../src/models/encoders/chinese-entities.ts';
import { entityColumn } from '../../../../src/models/encoders/entities.ts';

const tagger = createChineseTagger();

describe('the Chinese entity tagger', () => {
  it.each([
    ['中国红十字会在北京', ['ORG', 'GPE']],
    ['3月20日下午5点', ['TIME']],
    ['2008年5月12日', ['DATE']],
    ['捐款200万元', ['MONEY']],
    ['50%的人', ['PERCENT']],
    ['得了第一名', ['ORDINAL']],
    ['身高1.2米', ['QUANTITY']],
    ['有三十人', ['CARDINAL']],
    ['长江大桥在武汉', ['FAC', 'GPE']],
    ['在太平洋上', ['LOC']],
    ['今年的世界杯', ['DATE', 'EVENT']],
    ['看《红楼梦》', ['WORK_OF_ART']],
    ['违反《劳动合同法》', ['LAW']],
    ['周杰伦唱歌', ['PERSON']],
  ] as const)('finds in %s: %s', (text, types) => {
    expect(tagger.tag(text)).toEqual(types);
  });

  it('gives nothing for a text that names nothing, and at most sixteen', () => {
    expect(tagger.tag('')).toEqual([]);
    expect(tagger.tag('大家好，请转发！')).toEqual([]);
    expect(tagger.tag('北京，'.repeat(40))).toHaveLength(16);
  });

  it('fills the column by the ids of OntoNotes', () => {
    expect([...entityColumn(tagger, '北京')].slice(0, 2)).toEqual([5, 0]);
  });
});
