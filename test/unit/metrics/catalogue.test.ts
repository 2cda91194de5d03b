import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { CATALOGUE } from '../../../src/metrics/catalogue.ts';
import { ROOT } from '../../support/tocsin.ts';

it('names no metric that nothing sets', () => {
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.endsWith('metrics/catalogue.ts'))
    .map((path) => readFileSync(join(ROOT, 'src', path), 'utf8'))
    .join('\n');
  expect(Object.keys(CATALOGUE).filter((name) => !sources.includes(`'${name}'`))).toEqual([]);
});
