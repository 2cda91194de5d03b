/** Textual: MAFN's text extractor and its detector alone; Table 2 calls the same network "Text-only". */
import type { Architecture } from './contract.ts';
import { MAFN_ABLATIONS, type MafnConfig, mafn } from './mafn.ts';

export const textual: Architecture<MafnConfig> = {
  ...mafn,
  name: 'textual',
  source: `"Textual and Visual were the subnetworks of the MAFN": ${mafn.source}`,
  defaults: MAFN_ABLATIONS['text-only'],
};
