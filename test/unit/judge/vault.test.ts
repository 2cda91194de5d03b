/** What a vault may be: one collection, or a folder of several. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { readVault } from '../../../src/judge/vault.ts';
import { readDataset } from '../../../src/training/read-dataset.ts';
import { writeMadePosts } from '../../support/made-posts.ts';
import { ROOT } from '../../support/tocsin.ts';

const options = { task: 'informative', now: Date.UTC(2026, 0, 1), unit: 'text' } as const;
const crisisMmd = join(ROOT, 'test/fixtures/datasets/crisismmd');

/** A vault with CrisisMMD's fixture and ten made posts. */
function vaultOfTwo(): string {
  const path = mkdtempSync(join(tmpdir(), 'tocsin-vault-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  cpSync(crisisMmd, join(path, 'crisismmd'), { recursive: true });
  mkdirSync(join(path, 'made'));
  writeMadePosts(join(path, 'made', 'posts.jsonl'), 10, 1);
  writeFileSync(join(path, 'README.md'), 'where they come from');
  return path;
}

it('is one collection as its reader reads it', async () => {
  expect(await readVault(crisisMmd, options)).toEqual(await readDataset(crisisMmd, options));
});

it('is the posts of all collections in a folder', async () => {
  const path = vaultOfTwo();
  const vault = await readVault(path, options);
  const parts = [await readDataset(crisisMmd, options), await readDataset(join(path, 'made'), options)];
  expect(vault.examples).toEqual(parts.flatMap(({ examples }) => examples));
  expect(vault).toMatchObject({
    name: parts.map(({ name }) => name).join(' + '),
    classes: ['not informative', 'informative'],
    left: parts[0]?.left,
  });
  expect(parts.map(({ sha256 }) => sha256)).not.toContain(vault.sha256);
});

it('has a post that is in two of them once, and only classes that all of them tell apart', async () => {
  const path = vaultOfTwo();
  cpSync(join(path, 'made'), join(path, 'made-again'), { recursive: true });
  const made = (await readVault(path, options)).examples.filter(({ id }) => id.startsWith('made-'));
  expect(made).toHaveLength(10);

  rmSync(join(path, 'made'), { recursive: true });
  rmSync(join(path, 'made-again'), { recursive: true });
  cpSync(join(ROOT, 'test/fixtures/archives/crisislex'), join(path, 'crisislex'), { recursive: true });
  const both = await readVault(path, { ...options, task: 'humanitarian' });
  const apart = await Promise.all(
    ['crisislex', 'crisismmd'].map((name) =>
      readDataset(join(path, name), { ...options, task: 'humanitarian' }),
    ),
  );
  const [first, second] = apart.map(({ classes }) => classes);
  expect(both.classes).toEqual(first?.filter((name) => second?.includes(name)));
  expect(both.classes.length).toBeLessThan(Math.max(first?.length ?? 0, second?.length ?? 0));
});

it('is refused, by name, with an entry that no reader knows', async () => {
  const path = vaultOfTwo();
  writeFileSync(join(path, 'notes.txt'), 'x');
  await expect(readVault(path, options)).rejects.toMatchObject({
    code: 'ARCHIVE_UNREADABLE',
    message: expect.stringContaining('notes.txt'),
  });
});
