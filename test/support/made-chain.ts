/** The ways of a model on posts made for them: small enough for every run of the tests, large enough that a round surely gains. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { seededRandom } from '../../src/base/random.ts';
import { runChain } from './chain-suite.ts';
import { madeOutbreak, madeText, writeMadePosts } from './made-posts.ts';
import type { Target } from './pipeline.ts';
import { runRelapse } from './relapse-suite.ts';
import { temporaryFolder } from './tocsin.ts';

type Where = Omit<Target, 'dataDir'>;

interface MadeScene {
  readonly target: Target;
  readonly sidecar: Readonly<Record<string, string>>;
  readonly vault: string;
  readonly rounds: number;
  readonly told: (line: string) => void;
}

/** What a round trains on and what judges it, in a folder that goes away. */
async function withMadePosts(
  where: Where,
  name: string,
  body: (scene: MadeScene) => Promise<void>,
): Promise<void> {
  const folder = temporaryFolder('tocsin-chain-');
  try {
    const [seeds, vault] = [join(folder.path, 'seeds.jsonl'), join(folder.path, 'vault')];
    mkdirSync(vault);
    writeMadePosts(seeds, 2_000, 5);
    writeMadePosts(join(vault, 'posts.jsonl'), 420, 6);
    await body({
      target: { ...where, dataDir: join(folder.path, 'data') },
      sidecar: {
        TOCSIN_SIDECAR_DATA: seeds,
        TOCSIN_SIDECAR_POSTS: '400',
        TOCSIN_SIDECAR_WORK_PERCENT: '100',
      },
      vault,
      rounds: 1,
      told: (line) => process.stdout.write(`${name} on ${where.bus}: ${line}\n`),
    });
  } finally {
    folder.remove();
  }
}

/** A post of the stream that both models read alike: with more of the small talk that they disagree on the shadow would end. */
function everyday(): (n: number) => string {
  const random = seededRandom(7);
  return (n) => madeText((n % 2) as 0 | 1, random, 0.02);
}

export const chainOfMadePosts = (where: Where): Promise<void> =>
  withMadePosts(where, 'chain', async (scene) => {
    const figures = await runChain({
      ...scene,
      text: everyday(),
      rate: 40,
      shadowEvents: 60,
      canaryMs: 3_000,
    });
    expect(figures).toMatchObject({ faults: [], lost: 0, doubled: 0 });
    expect(Object.keys(figures.labelledBy).sort()).toEqual([figures.candidate, figures.champion].sort());
  });

export const relapseOfMadePosts = (where: Where): Promise<void> =>
  withMadePosts(where, 'relapse', async (scene) => {
    const random = seededRandom(8);
    const figures = await runRelapse({
      ...scene,
      everyday: everyday(),
      outbreak: () => madeOutbreak(random),
      rate: 200,
    });
    expect(figures).toMatchObject({ faults: [], lost: 0, doubled: 0 });
    expect(Math.max(...Object.values(figures.backSeconds))).toBeLessThanOrEqual(5);
  });
