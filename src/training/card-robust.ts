/** What a card says of attacks: how the model was hardened, and what is left of it when somebody replaces words. */
import type { Manifest } from '../models/manifest.ts';
import { COLUMNS, cells, isMixed, row, table, withInterval } from './card-tables.ts';
import type { Robust } from './evaluation.ts';
import type { WordDefence } from './harden.ts';

const HARDENED: Readonly<Record<WordDefence, string>> = {
  none: 'It is not adversarially trained: a person who tries can fool it.',
  static: `Adversarially trained as in the paper (Algorithm 1): beside every training post stands a copy whose words were replaced once, on an
undefended twin. A person who tries against this very model can fool it.`,
  'on-the-fly': `Adversarially trained: every batch stands there twice, the second time with words replaced against the model as it was at that step.
That makes it harder to fool, not safe.`,
  hull: `Adversarially trained: every batch stands there twice, the second time with every word moved to the worst point found between itself and
its ten nearest words (ASCC, Dong et al. 2021). That makes it harder to fool, not safe.`,
  'swap-and-hull': `Adversarially trained: every batch stands there three times, the second time with words replaced against the model as it was at that
step (MMAT Eq. 2), the third time with every word moved to the worst point found between itself and its ten nearest words (ASCC, Dong et
al. 2021). That makes it harder to fool, not safe.`,
};

/** One sentence or two for the card's beginning. */
export const hardened = ({
  defence,
  plainShare,
  defendedShare,
  teachersPart,
}: Manifest['training']['options']): string =>
  HARDENED[(defence ?? 'none') as WordDefence] +
  (plainShare === undefined
    ? ''
    : `\nHalf of its filters and fusion units are so trained; the others are a network without a defence, whose logits have ${100 * Number(plainShare)} % of the
answer, because that one errs less on posts that nobody has changed.`) +
  (defendedShare === undefined
    ? ''
    : `\nIt was first trained without a defence, and ${100 * Number(defendedShare)} % of what the training under the defence then changed is kept (WiSE-FT), for the
same reason.`) +
  (teachersPart === undefined
    ? ''
    : `\nWhat it is taught of a labelled post is for ${100 * Number(teachersPart)} % what four teachers say that were trained on the same posts: two over frozen sentence
vectors, two undefended ones of its own kind.`);

export const robustSection = ({
  clean,
  attacked,
  byEvent,
}: Robust): string => `## Under attack, on unseen events

Somebody who knows the model replaces every word that helps him by one of its ten nearest words (MMAT Eq. 2, ε 0.1, τ 0.5, all words of a
post at once), against the very model that is judged. Each event is judged by a model that had not seen it; the posts are those above.
Such swaps may change what a post means, so no model can be right on all.

${table(['posts', ...COLUMNS], [row('as they are', ...cells(clean)), row('attacked', ...cells(attacked))])}

${table(
  ['event', 'posts', 'balanced accuracy', 'attacked'],
  Object.entries(byEvent)
    .filter(([, event]) => isMixed(event.clean))
    .map(([name, event]) =>
      row(
        name,
        event.clean.n,
        withInterval(event.clean.balancedAccuracy),
        withInterval(event.attacked.balancedAccuracy),
      ),
    ),
)}

Robust means: within this budget, against this attack.`;
