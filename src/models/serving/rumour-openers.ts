/** How the model of the scorer is opened. */
import { shareEncoders } from '../encoders/shared.ts';
import type { RumourScorer } from '../port.ts';
import type { Openers, Source } from './line-up.ts';
import { openRumourScorer, type RumourScorerOptions } from './rumour-scorer.ts';

/** What the scorer asks of every content. */
export type RumourTasks = { readonly rumour: RumourScorer };

/** The versions share their frozen encoders, which are most of their size. */
export function rumourOpeners(
  { first, load }: Source,
  options: Omit<RumourScorerOptions, 'dir' | 'artefact'>,
): Openers<RumourTasks> {
  const openEncoder = shareEncoders(options.openEncoder);
  return {
    rumour: {
      first,
      async open(version) {
        const artefact = await load(version);
        return openRumourScorer({ ...options, openEncoder, dir: artefact.dir, artefact });
      },
    },
  };
}
