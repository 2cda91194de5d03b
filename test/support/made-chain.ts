/** The whole way of a model on posts made for it: small enough for every run of the tests, large enough that a round surely gains. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { seededRandom } from '../../src/base/random.ts';
import { runChain } from './chain-suite.ts';
import { madeText, writeMadePosts } from './made-posts.ts';
import type { Target } from './pipeline.ts';
import { temporaryFolder } from './tocsin.ts';

export async function chainOfMadePosts(where: Omit<Target, 'dataDir'>): Promise<void> {
  const folder = temporaryFolder('tocsin-chain-');
  try {
    const [seeds, vault] = [join(folder.path, 'seeds.jsonl'), join(folder.path, 'vault')];
    mkdirSync(vault);
    writeMadePosts(seeds, 2_000, 5);
    writeMadePosts(join(vault, 'posts.jsonl'), 420, 6);
    const random = seededRandom(7);
    const figures = await runChain({
      target: { ...where, dataDir: join(folder.path, 'data') },
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
      told: (line) => process.stdout.write(`chain on ${where.bus}: ${line}\n`),
    });
    expect(figures).toMatchObject({ faults: [], lost: 0, doubled: 0 });
    expect(Object.keys(figures.labelledBy).sort()).toEqual([figures.candidate, figures.champion].sort());
  } finally {
    folder.remove();
  }
}
