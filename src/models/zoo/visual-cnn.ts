/** Visual-CNN: the picture branch of MMAT alone. */
import {
  IMAGE_BRANCH_DEFAULTS,
  type ImageBranchConfig,
  imageBranch,
  seededInitialisers,
} from './branches.ts';
import type { Architecture } from './contract.ts';
import { buildUnimodal, UNIMODAL_DEFAULTS, type UnimodalConfig } from './unimodal.ts';

export const visualCnn: Architecture<ImageBranchConfig & UnimodalConfig> = {
  name: 'visual-cnn',
  source:
    'Chen et al., MMAT (SMARTCOMP 2020), §III-A, §IV-B, Fig. 2. Inferred: 3×3 filters, 16 then 32, no padding, 2×2 pooling.',
  columns: () => ['pixels'],
  defaults: { ...IMAGE_BRANCH_DEFAULTS, ...UNIMODAL_DEFAULTS },
  build: (tf, config, _dims, head, seed) =>
    buildUnimodal(
      tf,
      'visual-cnn',
      'pixels',
      imageBranch(tf, config, seededInitialisers(tf, seed)),
      config,
      head,
      seed,
    ),
};
