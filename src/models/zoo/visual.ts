/** Visual: MAFN's visual extractor and its detector alone. */
import type { Architecture } from './contract.ts';
import { MAFN_DEFAULTS, type MafnConfig, mafn } from './mafn.ts';

export const visual: Architecture<MafnConfig> = {
  ...mafn,
  name: 'visual',
  source: `"Textual and Visual were the subnetworks of the MAFN": ${mafn.source}`,
  defaults: { ...MAFN_DEFAULTS, text: false, entity: false },
};
