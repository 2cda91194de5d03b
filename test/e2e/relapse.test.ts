/** A model that turns out worse is taken back by the gate itself, on the embedded bus: real sidecar, real gate, real workers. */
import { it } from 'vitest';
import { relapseOfMadePosts } from '../support/made-chain.ts';

it('an accepted model that is worse on what comes is withdrawn from the canary, and rolled back after a person promoted it', () =>
  relapseOfMadePosts({ bus: 'embedded', environment: 'lab' }));
