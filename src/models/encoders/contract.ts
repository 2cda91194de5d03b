/**
 * A frozen encoder: texts or pictures in, vectors out. Every encoder passes test/contract/encoders.
 *
 * `encode(batch)[i]` equals `encode([x_i])` bit for bit, on any thread and from any cache: networks run row by row (a
 * dynamically quantised one takes its scale over all that it is given), and what leaves an encoder is rounded to float16,
 * so that fresh and cached vectors are the same and memory is halved.
 */

/** What one sample is. image: RGB bytes, row by row, [224, 224, 3]. */
export interface Samples {
  readonly text: string;
  readonly image: Uint8Array;
}
export type Modality = keyof Samples;

/** Side of a picture for every encoder. */
export const PICTURE_SIDE = 224;

export interface EncoderOutput {
  readonly name: 'sentence' | 'tokens' | 'features' | 'logits';
  /** null: as many as the text has tokens; only the last output may be so. */
  readonly dims: readonly (number | null)[];
}

/** All outputs of one sample side by side, as float16. `unpack` takes them apart. */
export type Packed = Uint16Array;

export interface Encoder<M extends Modality = Modality> {
  readonly id: string;
  /** Changes whenever the same sample may give other vectors although `preprocess`, `weights` and `engine` stay. */
  readonly version: string;
  /** What runs the network, with its version: another one may differ in the last bits. */
  readonly engine: string;
  readonly modality: M;
  readonly outputs: readonly EncoderOutput[];
  /** No gradient goes through it: white-box attacks move its vectors alone (feature space), others try texts and pictures. */
  readonly differentiable: false;
  /** Hash of everything that is done to a sample before and to its vectors after the network. */
  readonly preprocess: string;
  readonly weights: { readonly sha256: string; readonly licence: string; readonly origin: string };
  /** One row per sample, in order. Throws BAD_RECORD for a picture of another size, MODEL_UNAVAILABLE once closed. */
  encode(batch: readonly Samples[M][]): Promise<readonly Packed[]>;
  close(): Promise<void>;
}
