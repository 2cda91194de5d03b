/** Text-CNN: the text branch of MMAT alone. */
import { seededInitialisers, TEXT_BRANCH_DEFAULTS, type TextBranchConfig, textBranch } from './branches.ts';
import type { Architecture } from './contract.ts';
import { buildUnimodal, UNIMODAL_DEFAULTS, type UnimodalConfig } from './unimodal.ts';

export const textCnn: Architecture<TextBranchConfig & UnimodalConfig> = {
  name: 'text-cnn',
  source:
    'Chen et al., MMAT (SMARTCOMP 2020), §III-A, §IV-B, Fig. 3. Inferred: relu, no padding, frozen GloVe 6B in place of GloVe Twitter 27B.',
  columns: () => ['words'],
  defaults: { ...TEXT_BRANCH_DEFAULTS, ...UNIMODAL_DEFAULTS },
  build: (tf, config, _dims, head, seed) =>
    buildUnimodal(
      tf,
      'text-cnn',
      'words',
      textBranch(tf, config, seededInitialisers(tf, seed)),
      config,
      head,
      seed,
    ),
};
