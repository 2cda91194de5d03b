import { describe, expect, it } from 'vitest';
import { trainLogistic } from '../../../src/training/logistic.ts';
import { trainNaiveBayes } from '../../../src/training/naive-bayes.ts';
import { termsOf, wordsOf } from '../../../src/training/words-of.ts';

describe('words of a text', () => {
  it('are what stands between marks, and in scripts without spaces characters or their pairs', () => {
    expect(wordsOf('Flood in Ōsaka, 2 dead')).toEqual(['flood', 'in', 'ōsaka', '2', 'dead']);
    expect(termsOf('Flood in Ōsaka, 2 dead')).toEqual(['flood', 'in', 'ōsaka', '2', 'dead']);
    expect(wordsOf('停水3天，快')).toEqual(['停', '水', '3', '天', '快']);
    expect(termsOf('停水3天，快')).toEqual(['停水', '水3', '3天', '快']);
  });
});

describe('the plain text models on Chinese', () => {
  const rows = [
    { text: '听说今晚全市停水', label: 1 },
    { text: '朋友说明天停水三天', label: 1 },
    { text: '气象台发布预警', label: 0 },
    { text: '市政府发布通知', label: 0 },
  ] as const;

  it.each([
    ['naive Bayes', trainNaiveBayes],
    ['logistic regression', trainLogistic],
  ])('%s knows what a clause has in common with others', (_, train) => {
    const predict = train(rows);
    expect(predict('后天停水')).toBeGreaterThan(0.55);
    expect(predict('学校发布消息')).toBeLessThan(0.45);
  });
});
