import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { recordNames, TOPICS_DIR } from '../../../src/bus/schemas.ts';
import { loadTopics, TOPICS, topicSpec } from '../../../src/bus/topics.ts';

describe('topics', () => {
  it('are named in the code as in the files', () => {
    expect(loadTopics().map((topic) => topic.name)).toEqual(Object.values(TOPICS).sort());
  });

  it('carry every record there is', () => {
    const carried = new Set(loadTopics().flatMap((topic) => topic.records));
    expect([...carried].sort()).toEqual(recordNames());
  });

  it('keep state in the partitions of the input', () => {
    const byName = new Map(loadTopics().map((topic) => [topic.name, topic]));
    const state = byName.get(TOPICS.state);
    for (const name of [TOPICS.events, TOPICS.evidence])
      expect(byName.get(name)?.partitions).toBeLessThanOrEqual(state?.partitions ?? 0);
    expect(state?.cleanup).toBe('compact');
  });

  it('become specs in milliseconds', () => {
    const [first] = loadTopics();
    if (!first) throw new Error('no topics');
    expect(topicSpec({ ...first, retentionDays: 2 })).toEqual({
      name: first.name,
      partitions: first.partitions,
      retentionMs: 172_800_000,
      cleanup: first.cleanup,
    });
    expect(topicSpec({ ...first, retentionDays: null }).retentionMs).toBe(null);
  });
});

describe('a wrong topic file', () => {
  let dir = '';
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'tocsin-topics-'));
    cpSync(TOPICS_DIR, dir, { recursive: true });
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const file = 'crisis.dlq.v1.yaml';
  const change = (from: string, to: string): void => {
    const path = join(dir, file);
    const before = readFileSync(path, 'utf8');
    expect(before).toContain(from);
    writeFileSync(path, before.replace(from, to));
  };

  it.each([
    ['partitions: 6', 'partitions: 0'],
    ['partitions: 6', 'partition: 6'],
    ['cleanup: delete', 'cleanup: shred'],
    ['retentionDays: 30', 'retentionDays: -1'],
    ['name: crisis.dlq.v1', 'name: crisis.labels.v1'],
    ['records: [DeadLetter]', 'records: [Nothing]'],
    ['records: [DeadLetter]', 'records: []'],
  ])('is named: %s → %s', (from, to) => {
    change(from, to);
    expect(() => loadTopics(dir)).toThrow(
      expect.objectContaining({ code: 'BAD_CONFIG', message: expect.stringContaining(file) }),
    );
  });
});
