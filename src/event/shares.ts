/** How much of an answer from text and picture stands on each of them. */
import type { ModalityScores } from './records.ts';

/** A score with what each modality says by itself. */
export interface Shared {
  readonly probability: number | null;
  readonly byModality: ModalityScores;
}

/**
 * The text's share, 0 to 1: how far the log-odds move without the text, of what they move without either. An answer from
 * one modality is all of that one. Null without an answer, and where neither moves it: then there is nothing to share.
 */
export function textShare({ probability, byModality: { text, image } }: Shared): number | null {
  if (probability === null || (text === null && image === null)) return null;
  if (text === null || image === null) return text === null ? 0 : 1;
  const withoutText = Math.abs(logOdds(probability) - logOdds(image));
  const withoutImage = Math.abs(logOdds(probability) - logOdds(text));
  const all = withoutText + withoutImage;
  return all === 0 ? null : withoutText / all;
}

export const hasBoth = ({ byModality: { text, image } }: Shared): boolean => text !== null && image !== null;

/**
 * `text_share:62`, as labels and rumour scores carry it: where both modalities count, and there is an answer. A share of
 * `unsure` would say that something was weighed and found.
 */
export function shareEvidence(
  score: Shared,
  { yes, no }: { readonly yes: number; readonly no: number },
): string[] {
  const { probability } = score;
  const isAnswer = probability !== null && (probability >= yes || probability <= no);
  const share = isAnswer && hasBoth(score) ? textShare(score) : null;
  return share === null ? [] : [shareCode(share)];
}

/** @param share 0 to 1 */
export const shareCode = (share: number): string => `text_share:${Math.round(100 * share)}`;

const logOdds = (probability: number): number => {
  const kept = Math.min(1 - 1e-6, Math.max(1e-6, probability));
  return Math.log(kept / (1 - kept));
};
