/** What every data set reader must do, whatever it reads. Run on the fixtures and, where they are, on the real sets. */
import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { systemClock } from '../../../../src/base/clock.ts';
import type { Dataset } from '../../../../src/training/dataset.ts';
import { DATASET_READERS, readDataset } from '../../../../src/training/read-dataset.ts';
import type { DatasetReader, Unit } from '../../../../src/training/readers/contract.ts';
import { type Task, targetOf } from '../../../../src/training/tasks.ts';

export interface Expected {
  readonly examples: number;
  /** Examples that have each class. */
  readonly classes: Readonly<Record<string, number>>;
  readonly left?: Readonly<Record<string, number>>;
  /** Examples whose picture's file is there. */
  readonly pictures?: number;
  readonly pictureProblems?: Readonly<Record<string, number>>;
}

export const read = (path: string, task: Task, unit: Unit = 'pair'): Promise<Dataset> =>
  readDataset(path, { task, unit, now: systemClock.now() });

/** Registers the tests of the contract for one collection and task. */
export function datasetContract(
  reader: DatasetReader,
  path: string,
  task: Task,
  expected: Expected,
  unit: Unit = 'pair',
): void {
  let first: Promise<Dataset> | null = null;
  /** Read once for all tests: the real sets are large. */
  const data = (): Promise<Dataset> => {
    first ??= read(path, task, unit);
    return first;
  };

  it(`${task}: is known by this reader alone`, async () => {
    const knowing: string[] = [];
    for (const candidate of DATASET_READERS) if (await candidate.find(path)) knowing.push(candidate.name);
    expect(knowing).toEqual([reader.name]);
  });

  if (expected.examples < 1_000)
    it(`${task}: is read the same each time`, async () => {
      expect(await read(path, task, unit)).toEqual(await data());
    });

  it(`${task}: counts examples, classes, pictures and what was left out`, async () => {
    const { examples, classes, left, pictureProblems } = await data();
    const targets = examples.map(({ labels }) => targetOf(labels, task, classes));
    expect({
      examples: examples.length,
      classes: Object.fromEntries(
        classes.map((name, k) => [name, targets.reduce((sum, target) => sum + (target?.[k] ?? 0), 0)]),
      ),
      left,
      pictures: examples.filter(({ picture }) => picture?.file).length,
      pictureProblems,
    }).toEqual({ left: {}, pictures: 0, pictureProblems: {}, ...expected });
  });

  it(`${task}: gives examples that training can use as they are`, async () => {
    const { examples, classes, licence, sha256, name } = await data();
    expect([name, licence]).toEqual([reader.name, reader.licence]);
    expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(new Set(examples.map(({ id }) => id)).size).toBe(examples.length);
    const wrong = examples.filter(
      (example) =>
        targetOf(example.labels, task, classes)?.length !== classes.length ||
        /https?:\/\/\w/.test(example.text) ||
        example.event === '' ||
        example.post === '' ||
        !/^([a-z]{2}|und)$/.test(example.language) ||
        (example.picture?.file && !existsSync(example.picture.file)) ||
        !Object.values(example.published).every((part) => ['train', 'dev', 'test'].includes(part)),
    );
    expect(wrong).toEqual([]);
  });
}
