/** What a retraining may cost posts as they are (decision 24): the gate asks it of the vault, the sidecar of its own dev part. */
export const CLEAN_BOUND = {
  /** Level of the one-sided bound. */
  confidence: 0.95,
  /** Macro-F1 that the lower bound of the paired difference may lack. */
  macroF1: 0.005,
  /** What a class, or any other slice, may lose. */
  slice: 0.02,
} as const;
