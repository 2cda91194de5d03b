/** A real (small) retraining goes the whole way on the embedded bus: real sidecar, real gate, real workers. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { seededRandom } from '../../src/base/random.ts';
import { runChain } from '../support/chain-suite.ts';
import { madeText, writeMadePosts } from '../support/made-posts.ts';
import { temporaryFolder } from '../support/tocsin.ts';

it('a round of the sidecar is accepted, goes from shadow to canary to all past a killed gate, and is rolled back', async () => {
  const folder = temporaryFolder('tocsin-chain-');
  try {
    const [seeds, vault] = [join(folder.path, 'seeds.jsonl'), join(folder.path, 'vault')];
    mkdirSync(vault);
    writeMadePosts(seeds, 2_000, 5);
    writeMadePosts(join(vault, 'posts.jsonl'), 420, 6);
    const random = seededRandom(7);
    const figures = await runChain({
      target: { bus: 'embedded', dataDir: join(folder.path, 'data'), environment: 'lab' },
      sidecar: {
        TOCSIN_SIDECAR_DATA: seeds,
        TOCSIN_SIDECAR_POSTS: '400',
        TOCSIN_SIDECAR_WORK_PERCENT: '100',
      },
      vault,
      rounds: 1,
      // The stream has less of the small talk that the two disagree on: the shadow would end it else.
      text: (n) => madeText((n % 2) as 0 | 1, random, 0.02),
      rate: 40,
      shadowEvents: 60,
      canaryMs: 3_000,
      told: (line) => process.stdout.write(`chain: ${line}\n`),
    });
    expect(figures).toMatchObject({ faults: [], lost: 0, doubled: 0 });
    expect(figures.verdicts).toHaveLength(1);
    expect(Object.keys(figures.labelledBy).sort()).toEqual([figures.candidate, figures.champion].sort());
    expect(figures.seconds['rollback']).toBeLessThanOrEqual(10);
  } finally {
    folder.remove();
  }
});
