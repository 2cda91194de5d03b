/** A real (small) retraining goes the whole way on the embedded bus: real sidecar, real gate, real workers. */
import { it } from 'vitest';
import { chainOfMadePosts } from '../support/made-chain.ts';

it('a round of the sidecar is accepted, goes from shadow to canary to all past a killed gate, and is rolled back', () =>
  chainOfMadePosts({ bus: 'embedded', environment: 'lab' }));
