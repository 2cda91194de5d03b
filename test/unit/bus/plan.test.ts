/** What apply would do to the topics. */
import { describe, expect, it } from 'vitest';
import { describeStep, planTopics } from '../../../src/bus/plan.ts';
import type { TopicSpec } from '../../../src/bus/port.ts';

const DAY = 86_400_000;
const spec = (name: string, more: Partial<TopicSpec> = {}): TopicSpec => ({
  name,
  partitions: 6,
  retentionMs: 7 * DAY,
  cleanup: 'delete',
  ...more,
});

describe('planTopics', () => {
  it('creates what is missing, changes what differs, keeps the rest and deletes nothing', () => {
    const wanted = [spec('a'), spec('b', { retentionMs: null, cleanup: 'compact' }), spec('c')];
    const existing = [spec('b'), spec('c'), spec('foreign')];
    const steps = planTopics(wanted, existing);
    expect(steps.map((step) => [step.kind, step.spec.name])).toEqual([
      ['create', 'a'],
      ['alter', 'b'],
      ['keep', 'c'],
    ]);
    expect(steps.map(describeStep)).toEqual([
      '+ a  6 partitions, kept 7 d, delete',
      '~ b  kept 7 d → for ever, delete → compact',
      '  c  6 partitions, kept 7 d, delete',
    ]);
  });

  it('never changes a partition count', () => {
    const [step] = planTopics([spec('a', { retentionMs: DAY / 2 })], [spec('a', { partitions: 3 })]);
    expect(step?.kind).toBe('conflict');
    expect(step && describeStep(step)).toContain('has 3 partitions, wanted 6');
  });
});
