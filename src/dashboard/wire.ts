/** What the dashboard's server and its page say to each other. Shapes only; both sides import it. */
import type {
  Alert,
  Modality,
  PictureOutcome,
  RulingTask,
  RulingValue,
  RumourScore,
  TaskScore,
} from '../event/records.ts';

/** A picture of a post as the page may show it: never its original bytes or address. */
export interface PictureView {
  readonly id: string;
  readonly outcome: PictureOutcome;
  /** Refusal code, and the sentence that says it to people. */
  readonly reason: string | null;
  readonly reasonText: string | null;
  /** Path of the re-encoded preview. */
  readonly preview: string | null;
  /** Placeholder, base64. */
  readonly thumbhash: string | null;
}

/** One revision of a post's label. */
export interface RevisionView {
  readonly postId: string;
  readonly revision: number;
  readonly collection: string;
  readonly source: string;
  /** Event time, ms. */
  readonly createdAt: number;
  readonly receivedAt: number;
  /** When the label was written to the bus, ms. */
  readonly labelledAt: number;
  readonly text: string;
  readonly language: string;
  readonly tasks: readonly TaskScore[];
  readonly modalities: readonly Modality[];
  readonly pictures: readonly PictureView[];
  readonly flags: readonly string[];
  readonly normaliser: string;
  readonly thresholds: string;
  readonly modelSequence: number;
  readonly synthetic: boolean;
  /** Set on everything that stems from a replay. */
  readonly replayId: string | null;
  /** 32 hex digits. */
  readonly traceId: string | null;
}

/** A post in the feed: its highest revision, and the place where it stands. */
export interface PostView extends RevisionView {
  /** When the post first appeared, ms; posts are ordered by this and their id. */
  readonly arrivedAt: number;
  /** The text goes on in GET /api/posts/:id. */
  readonly cut: boolean;
}

export interface RulingView {
  readonly id: string;
  readonly ruling: RulingValue;
  readonly by: string;
  readonly at: number;
}

export interface ClaimView {
  readonly claimId: string;
  readonly revision: number;
  readonly collection: string;
  readonly headline: string;
  readonly posts: number;
  readonly authors: number;
  readonly firstSeen: number;
  readonly lastSeen: number;
  /** Paths of previews. */
  readonly previews: readonly string[];
  readonly rumour: RumourScore;
  readonly ruling: RulingView | null;
  readonly aliases: readonly string[];
  readonly mergedInto: string | null;
}

export type AlertView = Omit<Alert, 'kind'>;

/** GET /api/ledger. */
export interface LedgerView {
  readonly received: number;
  readonly labelled: number;
  readonly filtered: number;
  readonly duplicate: number;
  readonly dead: number;
  readonly inFlight: number;
  readonly picturesPending: number;
  readonly pictures: {
    readonly requested: number;
    readonly ready: number;
    readonly refused: number;
    readonly pending: number;
  };
  readonly late: number;
  readonly orphan: number;
  readonly imbalance: number;
}

/** The server's heartbeat: how fresh everything is. */
export interface Pulse {
  /** Wall clock of the server, ms. */
  readonly at: number;
  /** `loading` until the newest posts are there; `stalled` when the bus does not answer. */
  readonly feed: 'loading' | 'following' | 'stalled';
  /** What is wrong, in one sentence, when stalled. */
  readonly problem: string | null;
  /** Null until it could be read. */
  readonly ledger: LedgerView | null;
  /** Newest event time among the labels, ms. */
  readonly newestEventAt: number | null;
  /** When the newest label was written, ms. */
  readonly newestLabelAt: number | null;
  /** How far the labels are behind the posts, ms; 0 when all are labelled. */
  readonly behindMs: number;
  /** Posts labelled in the last minute. */
  readonly perMinute: number;
  /** Of the newest posts, the share that informs; null without posts. */
  readonly informativeShare: number | null;
  readonly model: { readonly name: string; readonly version: string } | null;
  readonly stream: 'live' | 'sample' | 'replay';
  readonly replayId: string | null;
}

/** Client → server, the only thing that a client ever says. Null: a fresh snapshot, please. */
export interface ClientMessage {
  readonly since: string | null;
}

interface Changes {
  /** To be given back as `since`. */
  readonly cursor: string;
  readonly posts: readonly PostView[];
  readonly claims: readonly ClaimView[];
  readonly alerts: readonly AlertView[];
}

/** The newest of everything, in place of what the client has. */
export interface SnapshotMessage extends Changes {
  readonly type: 'snapshot';
  readonly pulse: Pulse;
}

/** What changed since the cursor before; nothing was left out. */
export interface BatchMessage extends Changes {
  readonly type: 'batch';
}

/** The client was too slow, or there was too much: the newest, and how many were left out. */
export interface ResyncMessage extends Changes {
  readonly type: 'resync';
  readonly skipped: number;
}

export interface PulseMessage {
  readonly type: 'pulse';
  readonly pulse: Pulse;
}

export type ServerMessage = SnapshotMessage | BatchMessage | ResyncMessage | PulseMessage;

/** GET /api/labels. */
export interface LabelsAnswer {
  readonly labels: readonly PostView[];
  /** To be given as `before` for the next page; null at the end of what is held. */
  readonly next: string | null;
}

/** GET /api/posts/:id, with `?explain=1` also the words. */
export interface PostAnswer {
  readonly postId: string;
  /** Ascending. */
  readonly revisions: readonly RevisionView[];
  /** The words that count most for the newest revision's `informative`: `word:bridge:+0.31`. Absent where they are not known. */
  readonly words?: readonly string[];
}

/** POST /api/rulings. */
export interface RulingRequest {
  readonly claimId?: string;
  readonly postId?: string;
  readonly task: RulingTask;
  readonly ruling: RulingValue;
  readonly undoes?: string;
}

/** Every answer that is not a success. */
export interface Problem {
  readonly error: { readonly code: string; readonly message: string };
}
