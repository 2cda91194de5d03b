/** The models of the label worker, opened together. */
import type { Scorers } from '../port.ts';
import { openClassScorer } from './class-scorer.ts';
import type { ScorerOptions } from './graphs.ts';
import { openScorer } from './scorer.ts';

export interface OpenedScorers extends Scorers {
  close(): Promise<void>;
}

/** Each model has threads of its own, as many as `threads`. Throws MODEL_INVALID when one of them cannot serve. */
export async function openScorers({
  dirs,
  ...options
}: Omit<ScorerOptions, 'dir'> & {
  readonly dirs: { readonly informative: string; readonly humanitarian: string };
}): Promise<OpenedScorers> {
  const informative = await openScorer({ ...options, dir: dirs.informative });
  try {
    const humanitarian = await openClassScorer({ ...options, dir: dirs.humanitarian });
    return {
      informative,
      humanitarian,
      close: async () => {
        await Promise.all([informative.close(), humanitarian.close()]);
      },
    };
  } catch (thrown) {
    await informative.close();
    throw thrown;
  }
}
