/** What the stages of the label worker hand on: an input from its decoding to its scores. */
import type { Lineage } from '../bus/messages.ts';
import type { ReceivedRecord } from '../bus/port.ts';
import type {
  LabelPicture,
  MediaContext,
  MediaEvent,
  MediaItem,
  PictureEvent,
  PostEvent,
  TaskScore,
} from '../event/records.ts';

/** A checked record of crisis.events.v1. */
export interface Decoded {
  readonly record: ReceivedRecord;
  readonly event: PostEvent | PictureEvent | MediaEvent;
  readonly lineage: Lineage;
}

/** A post whose text was normalised. */
export interface ReadPost {
  readonly kind: 'post';
  readonly event: PostEvent;
  readonly lineage: Lineage;
  readonly text: string;
  readonly language: string;
  readonly flags: readonly string[];
}

/** Pictures that came apart from their post. */
export interface ReadPicture {
  readonly kind: 'picture';
  readonly event: PictureEvent;
  readonly lineage: Lineage;
  /** When the bus got it, ms: the event itself does not say. */
  readonly receivedAt: number;
}

/** The media worker's answer. */
export interface ReadAnswer {
  readonly kind: 'answer';
  readonly event: MediaEvent;
  readonly lineage: Lineage;
}

export type Read = ReadPost | ReadPicture | ReadAnswer;

/** One label revision to be made. */
export interface Draft {
  /** Id, revision, text and what else the label says of its post. */
  readonly context: MediaContext;
  readonly receivedAt: number;
  readonly pictures: readonly LabelPicture[];
  /** Settled pictures that can be scored, in the post's order. */
  readonly ready: readonly MediaItem[];
  readonly lineage: Lineage;
}

/** A draft with its words as rows of the word table, as each reading of `models/port.ts` sees them. [15] each */
export interface Embedded {
  readonly draft: Draft;
  readonly rows: Readonly<Record<'first' | 'known', Int32Array>>;
}

/** A draft with its scores. */
export interface Scored {
  readonly draft: Draft;
  readonly tasks: readonly TaskScore[];
  readonly modalities: readonly ('text' | 'image')[];
  /** Names of the threshold sets, in the order of the tasks, with a space between. */
  readonly thresholds: string;
  /** Sequence of the desired state whose models made the scores. */
  readonly modelSequence: number;
}
