/** What the pipeline asks of a model that serves, whatever engine runs it. */
import type { ModelRef } from '../event/records.ts';

/**
 * Which words of a text a model reads (docs/decisions/0030-which-words-a-model-reads.md).
 *  - `first`: the first fifteen, unknown ones as row 0; no numbers (MMAT §IV-B).
 *  - `known`: only those of the table, every number as one word; of more than fifteen the first eight and the last seven.
 */
export type Reading = 'first' | 'known';

/** A text as each reading sees it. [15] each */
export type Rows = Readonly<Record<Reading, Int32Array>>;

/** Words of a post and, where there is one, its picture. */
export interface ScoreInput {
  /** Row numbers in the word table as the model reads the text, `MAX_WORDS` long; 0 = padding or unknown word. [15] */
  readonly words: Int32Array;
  /** RGB bytes, row by row. [64, 64, 3] */
  readonly pixels: Uint8Array | null;
}

/** Calibrated probabilities of the positive class; null for a modality that was absent or that the model never learnt. */
export interface ScoreOutput {
  /** From everything that the model could use. */
  readonly probability: number | null;
  readonly byModality: { readonly text: number | null; readonly image: number | null };
  /** What `probability` rests on. */
  readonly modalities: readonly ('text' | 'image')[];
}

export interface DecisionThresholds {
  /** Name of the set, as labels carry it. */
  readonly name: string;
  /** `yes` at or above. */
  readonly yes: number;
  /** `no` at or below; between the two the answer is `unsure`. */
  readonly no: number;
}

/** A loaded model. Scores do not depend on the neighbours in the batch. */
export interface Scorer {
  readonly model: ModelRef;
  readonly reading: Reading;
  readonly thresholds: DecisionThresholds;
  /** One output per input, in order. */
  score(batch: readonly ScoreInput[]): Promise<readonly ScoreOutput[]>;
  close(): Promise<void>;
}

/** One class of a task with several. */
export interface AskedClass {
  readonly name: string;
  /** `yes` at or above. */
  readonly yes: number;
  /** `no` at or below; between the two the answer is `unsure`. */
  readonly no: number;
}

/** Calibrated probabilities in the order of the scorer's classes; null as in `ScoreOutput`. */
export interface ClassOutput {
  readonly probabilities: readonly number[] | null;
  readonly byModality: { readonly text: readonly number[] | null; readonly image: readonly number[] | null };
  /** What `probabilities` rest on. */
  readonly modalities: readonly ('text' | 'image')[];
}

/** A loaded model for a task with several classes. Scores do not depend on the neighbours in the batch. */
export interface ClassScorer {
  readonly model: ModelRef;
  readonly reading: Reading;
  readonly classes: readonly AskedClass[];
  /** Name of the threshold set, as labels carry it. */
  readonly thresholds: string;
  /** One output per input, in order. */
  score(batch: readonly ScoreInput[]): Promise<readonly ClassOutput[]>;
  close(): Promise<void>;
}

/** What the label worker asks of every post. */
export interface Scorers {
  readonly informative: Scorer;
  readonly humanitarian: ClassScorer;
}

/** Who answers a task on a partition. */
export interface Chosen<S> {
  readonly answers: S;
  /** The challenger that scores beside and counts for nothing; null where there is none. */
  readonly shadow: S | null;
}

/** Text to rows of the word table; the same for training and serving. */
export interface Vocabulary {
  /** Identifies the table and how texts are read. */
  readonly id: string;
  readonly size: number;
  /** What is read of a normalised text (models.md §1.2), at most 15 words, as rows; 0 pads. */
  encode(text: string): Int32Array;
  /** The words themselves, each at the place that its row has. */
  read(text: string): readonly string[];
  /** The word of a row; empty for row 0. */
  word(row: number): string;
}

/** A content whose rumour score is asked for. */
export interface RumourInput {
  /** Normalised text; may be empty. */
  readonly text: string;
  /** RGB bytes, row by row; null for a content without a picture. [224, 224, 3] */
  readonly picture: Uint8Array | null;
}

/** A loaded rumour model with its encoders. Scores do not depend on the neighbours in the batch. */
export interface RumourScorer {
  readonly model: ModelRef;
  readonly thresholds: DecisionThresholds;
  /** One output per input, in order. */
  score(batch: readonly RumourInput[]): Promise<readonly ScoreOutput[]>;
  close(): Promise<void>;
}
