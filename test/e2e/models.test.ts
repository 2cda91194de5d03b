/** `tocsin models` and `tocsin gate` on the embedded bus. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { changeByCommand, writeTwin } from '../support/models-suite.ts';
import { busFlags, startService } from '../support/pipeline.ts';
import { eventually, temporaryFolder, tocsin, tocsinOk } from '../support/tocsin.ts';

it('people promote, roll back, pin, and ask why', () =>
  changeByCommand({ bus: 'embedded', environment: 'lab' }));

it('shows the shipped models where there is no bus, and makes none', async () => {
  const folder = temporaryFolder('tocsin-models-');
  try {
    const data = join(folder.path, 'data');
    const out = await tocsinOk(['models', 'list', '--output', 'json', '--data', data]);
    const roles = out
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { role: string }).role);
    expect(new Set(roles)).toEqual(new Set(['champion']));
    expect(existsSync(data)).toBe(false);
  } finally {
    folder.remove();
  }
});

it('says that no gate answers, with the exit code of a dependency that is away', async () => {
  const folder = temporaryFolder('tocsin-models-');
  try {
    const args = ['models', 'rollback', 'informative', '--reason', 'drill', '--wait', '0.2'];
    const { code, stderr } = await tocsin([...args, '--data', folder.path, '--log', 'error']);
    expect([code, stderr.includes('is tocsin gate running?')]).toEqual([4, true]);
  } finally {
    folder.remove();
  }
});

it('asks tocsin judge in a process of its own, files what it says, and goes on serving people', async () => {
  const folder = temporaryFolder('tocsin-models-');
  const vault = join(folder.path, 'vault');
  const verdicts = join(folder.path, 'data', 'registry', 'verdicts', 'informative');
  const target = { bus: 'embedded', dataDir: join(folder.path, 'data'), environment: 'lab' } as const;
  mkdirSync(vault);
  const row = {
    id: 'v1',
    text: 'The bridge is closed.',
    createdAt: '2026-11-01T00:00:00Z',
    labels: { informative: true },
  };
  writeFileSync(join(vault, 'posts.jsonl'), `${JSON.stringify(row)}\n`);
  await writeTwin(join(target.dataDir, 'registry', 'candidates', 'informative', 'twin'));
  const gate = await startService(target, 'gate', { TOCSIN_VAULT: vault });
  try {
    const verdict = await eventually(
      'the verdict',
      () => JSON.parse(readFileSync(join(verdicts, 'twin.json'), 'utf8')) as Record<string, unknown>,
    );
    // One post cannot judge anything, and the judge says so.
    expect(verdict).toMatchObject({ passed: false, why: expect.stringContaining('1 posts of the vault') });
    const asked = ['models', 'promote', 'informative', 'twin', '--reason', 'drill', ...busFlags(target)];
    const { code, stdout } = await tocsin([...asked, '--log', 'error']);
    expect([code, stdout.includes('The gate refused twin')]).toEqual([3, true]);
    expect(await gate.kill()).toBe(0);
  } finally {
    await gate.kill('SIGKILL');
    folder.remove();
  }
});
