/** Labelled posts for training and evaluation, whatever collection they come from. */

/** One labelled post. */
export interface Example {
  /** Unique in the data set; names the example in a split. */
  readonly id: string;
  /** The disaster that it belongs to. */
  readonly event: string;
  /** Normalised text, as the label worker sees it. */
  readonly text: string;
  /** ISO 639-1, or und. */
  readonly language: string;
  /** RGB bytes, 64 × 64; null for a post without a picture. */
  readonly pixels: Uint8Array | null;
  /** 1: informative. */
  readonly label: 0 | 1;
}

export interface Dataset {
  readonly name: string;
  readonly licence: string;
  readonly examples: readonly Example[];
  /** Of the file's bytes. */
  readonly sha256: string;
  /** Rows that were left out, by reason. */
  readonly left: Readonly<Record<string, number>>;
}
