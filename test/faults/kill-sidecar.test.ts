/** The short form; `npm run test:full` kills at every fail point, on both buses (test/full/kill-sidecar.test.ts). */
import { it } from 'vitest';
import { killSidecar } from '../support/sidecar-suite.ts';

it('a round that is killed while crafting, training and writing ends as an undisturbed one', () =>
  killSidecar({ bus: 'embedded' }, ['sidecar.craft:2', 'sidecar.train:2', 'artefact.rename', 'sidecar.end']));
