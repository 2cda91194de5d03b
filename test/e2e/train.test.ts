/** tocsin train and evaluate, as a person runs them: refusals, a real kill, the same bytes after it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { eventually, startTocsin, temporaryFolder, tocsin, tocsinOk } from '../support/tocsin.ts';

const DATA = fileURLToPath(new URL('../fixtures/crisislex_t26.tsv', import.meta.url));
const HUMANITARIAN = fileURLToPath(new URL('../../models/humanitarian', import.meta.url));
const folder = temporaryFolder('tocsin-train-');
afterAll(() => folder.remove());
const out = (name: string): string => join(folder.path, name);

describe('tocsin train', () => {
  it.each([
    [['mafm', '--data', DATA], 'did you mean mafn'],
    [['mmn', '--data', DATA, '--splitt', 'grouped'], 'Did you mean --split'],
    [['mmn', '--data', DATA, '--split', 'group'], 'did you mean grouped'],
    [['mmn', '--data', DATA, '--schedule', 'ean'], 'did you mean eann'],
    [['mmn', '--data', DATA, '--config', '{"dropuot":0}'], 'did you mean dropout'],
    [['mmn', '--data', DATA, '--max-epochs', '0'], 'a whole number of at least 1'],
    [['visual-cnn', '--data', DATA, '--backend', 'wasm'], 'reads pictures alone'],
    [['mmn', '--data', DATA, '--as-often-as', HUMANITARIAN], 'is of humanitarian; a model of informative'],
  ])('refuses %j and says what was meant', async (args, said) => {
    const { code, stderr } = await tocsin(['train', ...args, '--out', out('refused')]);
    expect(stderr).toContain(said);
    expect(code).toBe(2);
  });

  it('goes on after kill -9 with the bytes of an undisturbed run, and the model can be judged', async () => {
    const args = [
      'train',
      'text-cnn',
      '--data',
      DATA,
      '--seed',
      '3',
      '--max-epochs',
      '40',
      '--patience',
      '40',
    ];
    const command = [...args, '--backend', 'wasm', '--out'];
    await tocsinOk([...command, out('whole')]);

    const killed = startTocsin([...command, out('killed')]);
    await eventually('the fourth epoch', () => killed.stderr().includes('epoch 4:'), { everyMs: 5 });
    expect(await killed.kill('SIGKILL')).toBe('SIGKILL');
    const { code, stdout, stderr } = await tocsin([...command, out('killed')]);
    expect(code).toBe(0);
    expect(stderr).not.toContain('epoch 3:');
    expect(stderr).toContain('epoch 40:');

    const [whole, resumed] = await Promise.all(
      ['whole', 'killed'].map((name) => readFile(join(out(name), 'manifest.json'), 'utf8')),
    );
    expect(resumed).toBe(whole);

    const trained = JSON.parse(stdout) as { test: object };
    const judged = await tocsinOk([
      'evaluate',
      out('killed'),
      '--data',
      DATA,
      '--output',
      'json',
      '--backend',
      'wasm',
    ]);
    expect(JSON.parse(judged)).toMatchObject({ metrics: trained.test, data: { sameAsTraining: true } });
  });
});
