/** What the two papers print, so that ours can stand beside it. Accuracies in percent (MMAT) and as shares (MAFN). */

/** Events of MMAT's Table I, as CrisisMMD names them, with the pairs in the paper's test (models.md §0, finding 1). */
export const MMAT_EVENTS = [
  { event: 'california_wildfires', name: 'California wildfires', pairs: 159 },
  { event: 'hurricane_harvey', name: 'Hurricane Harvey', pairs: 445 },
  { event: 'mexico_earthquake', name: 'Mexico earthquake', pairs: 139 },
  { event: 'srilanka_floods', name: 'Sri Lanka floods', pairs: 103 },
] as const;

export const MMAT_MODELS = ['visual-cnn', 'text-cnn', 'mmn'] as const;
export type MmatModel = (typeof MMAT_MODELS)[number];

/** Among how many neighbours Eq. 2 chooses, which the paper does not say; by models.md §1.2 it is ten. */
export const NEIGHBOURS = 10;
/** With which the paper's own figures are compared as well. */
export const OTHER_NEIGHBOURS: readonly number[] = [5, 4, 3];

/** One cell pair of Table I: accuracy on the original and on the adversarial test samples, in percent. */
export interface MmatCell {
  readonly original: number;
  readonly adversarial: number;
}

/** Table I by event, model and whether it was trained adversarially. */
export const MMAT_TABLE: Readonly<
  Record<string, Readonly<Record<MmatModel, { readonly plain: MmatCell; readonly defended: MmatCell }>>>
> = {
  california_wildfires: {
    'visual-cnn': {
      plain: { original: 86.16, adversarial: 45.91 },
      defended: { original: 85.53, adversarial: 82.39 },
    },
    'text-cnn': {
      plain: { original: 86.79, adversarial: 76.73 },
      defended: { original: 87.42, adversarial: 84.28 },
    },
    mmn: {
      plain: { original: 88.68, adversarial: 67.3 },
      defended: { original: 88.05, adversarial: 88.05 },
    },
  },
  hurricane_harvey: {
    'visual-cnn': {
      plain: { original: 80.67, adversarial: 35.51 },
      defended: { original: 80.22, adversarial: 78.43 },
    },
    'text-cnn': {
      plain: { original: 88.09, adversarial: 73.26 },
      defended: { original: 88.09, adversarial: 86.07 },
    },
    mmn: {
      plain: { original: 89.21, adversarial: 73.26 },
      defended: { original: 87.42, adversarial: 84.04 },
    },
  },
  mexico_earthquake: {
    'visual-cnn': {
      plain: { original: 72.66, adversarial: 30.94 },
      defended: { original: 75.54, adversarial: 71.94 },
    },
    'text-cnn': {
      plain: { original: 82.73, adversarial: 71.94 },
      defended: { original: 84.89, adversarial: 78.42 },
    },
    mmn: {
      plain: { original: 84.89, adversarial: 58.71 },
      defended: { original: 86.33, adversarial: 79.86 },
    },
  },
  srilanka_floods: {
    'visual-cnn': {
      plain: { original: 67.96, adversarial: 36.89 },
      defended: { original: 66.02, adversarial: 66.02 },
    },
    'text-cnn': {
      plain: { original: 92.23, adversarial: 80.85 },
      defended: { original: 92.23, adversarial: 89.32 },
    },
    mmn: {
      plain: { original: 93.2, adversarial: 79.61 },
      defended: { original: 93.2, adversarial: 89.32 },
    },
  },
};

/**
 * Accuracy in MAFN's Tables 1 and 2; the ablation only for Weibo. Precision, recall and F1 are left out: the prevalence
 * that they imply differs from row to row of one test set (models.md §2.5), so they are not of one class.
 */
export const MAFN_ACCURACY: Readonly<
  Record<string, { readonly twitter: number | null; readonly weibo: number | null }>
> = {
  textual: { twitter: 0.551, weibo: 0.774 },
  visual: { twitter: 0.512, weibo: 0.633 },
  neuraltalk: { twitter: 0.61, weibo: 0.717 },
  vqa: { twitter: 0.631, weibo: 0.773 },
  'att-rnn': { twitter: 0.664, weibo: 0.779 },
  msrd: { twitter: 0.685, weibo: 0.794 },
  eann: { twitter: 0.715, weibo: 0.827 },
  mvae: { twitter: 0.745, weibo: 0.824 },
  mafn: { twitter: 0.771, weibo: 0.842 },
  'mafn-without-entity': { twitter: null, weibo: 0.836 },
  'mafn-without-affine': { twitter: null, weibo: 0.829 },
  'mafn-without-both': { twitter: null, weibo: 0.819 },
  'mafn-text-only': { twitter: null, weibo: 0.774 },
  'mafn-entity-only': { twitter: null, weibo: 0.549 },
  'mafn-without-image': { twitter: null, weibo: 0.799 },
};
