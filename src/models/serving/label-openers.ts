/** How the models of the label worker are opened. */
import type { ClassScorer, Scorer } from '../port.ts';
import { openClassScorer } from './class-scorer.ts';
import type { ScorerOptions } from './graphs.ts';
import type { Openers, Source } from './line-up.ts';
import { openScorer } from './scorer.ts';

/** What the label worker asks of every post. */
export type LabelTasks = { readonly informative: Scorer; readonly humanitarian: ClassScorer };

/** Each model has threads of its own, as many as `threads`. */
export function labelOpeners(
  sources: { readonly [T in keyof LabelTasks]: Source },
  options: Omit<ScorerOptions, 'dir' | 'artefact'>,
): Openers<LabelTasks> {
  const { informative, humanitarian } = sources;
  return {
    informative: {
      first: informative.first,
      async open(version) {
        const artefact = await informative.load(version);
        return openScorer({ ...options, dir: artefact.dir, artefact });
      },
    },
    humanitarian: {
      first: humanitarian.first,
      async open(version) {
        const artefact = await humanitarian.load(version);
        return openClassScorer({ ...options, dir: artefact.dir, artefact });
      },
    },
  };
}
