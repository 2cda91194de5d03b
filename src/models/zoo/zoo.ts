/** Every architecture of both papers and the stronger references, in the papers' order. */
import { TocsinError } from '../../base/errors.ts';
import { nearest } from '../../base/nearest.ts';
import { attRnn } from './att-rnn.ts';
import { cafeLite } from './cafe-lite.ts';
import type { Architecture } from './contract.ts';
import { eann } from './eann.ts';
import { mafn } from './mafn.ts';
import { mmn } from './mmn.ts';
import { msrd } from './msrd.ts';
import { mvae } from './mvae.ts';
import { neuraltalk } from './neuraltalk.ts';
import { ofli2020 } from './ofli2020.ts';
import { spotfake } from './spotfake.ts';
import { sseCross } from './sse-cross.ts';
import { textCnn } from './text-cnn.ts';
import { textual } from './textual.ts';
import { visual } from './visual.ts';
import { visualCnn } from './visual-cnn.ts';
import { vqa } from './vqa.ts';

/** A config belongs to its own architecture; whoever walks the list passes it through and never looks inside. */
const row = <Config extends object>(architecture: Architecture<Config>): Architecture =>
  architecture as unknown as Architecture;

export const ZOO: readonly Architecture[] = [
  row(visualCnn),
  row(textCnn),
  row(mmn),
  row(textual),
  row(visual),
  row(neuraltalk),
  row(vqa),
  row(attRnn),
  row(msrd),
  row(eann),
  row(mvae),
  row(mafn),
  row(spotfake),
  row(ofli2020),
  row(cafeLite),
  row(sseCross),
];

/** The architecture of that name. Throws BAD_USAGE for one that the zoo does not have. */
export function architecture(name: string): Architecture {
  const found = ZOO.find((entry) => entry.name === name);
  if (found) return found;
  const names = ZOO.map((entry) => entry.name);
  throw new TocsinError(
    'BAD_USAGE',
    `There is no model ${name}; did you mean ${nearest(name, names)}? All: ${names.join(', ')}.`,
  );
}
