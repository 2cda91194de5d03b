/**
 * The records of every topic. Generated from topics/ by `npm run records`; do not edit.
 * `kind` names the record; it is not written to the bytes, the schema's fingerprint stands for it.
 */

/** What the challenger says of the same post. It counts for nothing but the comparison. */
export interface ChallengerScore {
  /** Calibrated; null where it had nothing to score, or has no such class. */
  readonly probability: number | null;
  readonly model: ModelRef;
}

/** Which models answer a task. */
export interface DesiredTask {
  /** informative, humanitarian or rumour. */
  readonly task: string;
  readonly champion: ModelVersion;
  /** Scores beside the champion (shadow); answers on the canary partitions. */
  readonly challenger: ModelVersion | null;
  /** Partitions on which the challenger answers; none while it is in the shadow. */
  readonly canary: readonly number[];
  /** The gate promotes nothing by itself. */
  readonly pinned: boolean;
}

export type PictureOutcome = 'pending' | 'ready' | 'refused';

/** A picture as the label shows it. */
export interface LabelPicture {
  readonly id: string;
  readonly outcome: PictureOutcome;
  readonly reason: string | null;
  readonly storeKey: string | null;
  readonly thumbhash: Uint8Array | null;
}

/** One picture that a post refers to. */
export interface Media {
  /** Unique within the post. */
  readonly id: string;
  /** http(s) URL, or store:<sha256> for bytes that lie in the media store, or archive:<path> inside the replay's archive folder. */
  readonly ref: string;
}

/** What the label worker needs to make the next revision without remembering the post (architecture §1). At most 4 KB. */
export interface MediaContext {
  /** Id under which the answer's label is emitted: the post id, or the picture's own id for an orphan. */
  readonly labelId: string;
  /** Revision number of the label that the answer brings. */
  readonly revision: number;
  /** Normalised text. */
  readonly text: string;
  readonly language: string;
  readonly collection: string;
  readonly source: string;
  readonly createdAt: number;
  readonly authorHash: string | null;
  readonly flags: readonly string[];
  readonly synthetic: boolean;
}

export type MediaOutcome = 'ready' | 'refused';

/** What became of one requested picture. */
export interface MediaItem {
  readonly id: string;
  readonly outcome: MediaOutcome;
  /** Refusal code (closed list in src/media/refusal.ts); null when ready. */
  readonly reason: string | null;
  /** 64x64 RGB, 12,288 bytes, row by row; null when refused. */
  readonly pixels64: Uint8Array | null;
  /** 64-bit DCT hash, 16 hex digits. */
  readonly perceptualHash: string | null;
  /** The same hash of the mirrored picture. */
  readonly perceptualHashFlipped: string | null;
  /** About 25 bytes; a placeholder drawn before the preview. */
  readonly thumbhash: Uint8Array | null;
  /** sha256 (hex) of the re-encoded preview in the media store. */
  readonly storeKey: string | null;
}

/** Calibrated probabilities by what they rest on; null where a modality was absent or the model never learnt it. */
export interface ModalityScores {
  readonly text: number | null;
  readonly image: number | null;
}

export type ModelAction = 'promote' | 'rollback' | 'pin' | 'unpin';

/** Exactly which model made a score. */
export interface ModelRef {
  readonly name: string;
  readonly version: string;
  /** Of the file that served. */
  readonly sha256: string;
}

/** A model version in the registry. */
export interface ModelVersion {
  readonly name: string;
  readonly version: string;
  /** Of its manifest, which holds the hash of every file. */
  readonly digest: string;
}

/** A person's ruling as a claim carries it. */
export interface RulingMark {
  readonly id: string;
  readonly ruling: RulingValue;
  /** HMAC or role name of the person, never a plain user name. */
  readonly by: string;
  readonly at: number;
}

/** Which question a ruling answers. */
export type RulingTask = 'rumour' | 'informative';

/** What a person may rule. */
export type RulingValue = 'true' | 'false' | 'unclear' | 'informative' | 'not_informative';

export type RumourStatus = 'not_scored' | 'scored';

export type RumourDecision = 'yes' | 'no' | 'unsure';

/** How likely something is a rumour, and why. `unsure` is a real answer. */
export interface RumourScore {
  readonly status: RumourStatus;
  readonly probability: number | null;
  readonly decision: RumourDecision;
  readonly evidence: readonly string[];
  /** Null when nothing was scored. */
  readonly model: ModelRef | null;
}

export type Task = 'informative' | 'humanitarian';

export type Decision = 'yes' | 'no' | 'unsure';

/** The answer to one question about a post (architecture §6). */
export interface TaskScore {
  readonly task: Task;
  /** Class name for tasks with several classes. */
  readonly label: string | null;
  /** Calibrated, 0 to 1; null where there was nothing to score. */
  readonly probability: number | null;
  readonly decision: Decision;
  readonly byModality: ModalityScores;
  /** Short machine-written reasons, e.g. `no_text`, `few_known_words`. */
  readonly evidence: readonly string[];
  /** Null when nothing was scored. */
  readonly model: ModelRef | null;
  /** On a sampled share of the posts, while a challenger is in the shadow. */
  readonly challenger: ChallengerScore | null;
}

/** A post as the sidecar changed it to mislead the champion. Never a real post. Key: sample id. */
export interface AdversarialSample {
  readonly kind: 'AdversarialSample';
  readonly id: string;
  readonly task: string;
  /** Which round of the sidecar. */
  readonly round: string;
  /** Id of the post or training sample that it was made of. */
  readonly origin: string;
  /** The answer that stays right: yes or no. */
  readonly label: string;
  readonly attack: string;
  readonly budget: string;
  /** Words that were replaced. */
  readonly positions: readonly number[];
  readonly before: string;
  readonly after: string;
  readonly probabilityBefore: number;
  readonly probabilityAfter: number;
  /** The model that was attacked. */
  readonly model: ModelRef;
  readonly createdAt: number;
}

export type Severity = 'info' | 'warning' | 'critical';

export type AlertState = 'firing' | 'resolved';

/** Something that a coordinator should look at now. Key: collection. */
export interface Alert {
  readonly kind: 'Alert';
  /** rule:claim:onset, the same for firing and resolved. */
  readonly id: string;
  readonly rule: string;
  readonly collection: string;
  readonly claimIds: readonly string[];
  readonly since: number;
  readonly at: number;
  readonly severity: Severity;
  readonly state: AlertState;
  readonly summary: string;
}

/** Who changed what. A hash chain: each entry carries the hash of the one before. */
export interface AuditEntry {
  readonly kind: 'AuditEntry';
  readonly at: number;
  readonly who: string;
  readonly what: string;
  readonly why: string;
  readonly before: string | null;
  readonly after: string | null;
  readonly previousHash: string;
}

/** A cluster of posts that share a picture or a near-duplicate text; it, not the post, carries the rumour score. Key: claim id. */
export interface Claim {
  readonly kind: 'Claim';
  /** Id of the member with the smallest (createdAt, post id). */
  readonly claimId: string;
  /** Volatile. */
  readonly revision: number;
  readonly collection: string;
  readonly posts: number;
  /** Distinct author hashes. */
  readonly authors: number;
  readonly firstSeen: number;
  readonly lastSeen: number;
  /** Normalised text of the earliest post. */
  readonly headline: string;
  /** Order-free digest of the member ids: equal members, equal digest. */
  readonly membersDigest: string;
  /** Previews, at most 4. */
  readonly storeKeys: readonly string[];
  readonly rumour: RumourScore;
  readonly ruling: RulingMark | null;
  /** Ids of claims that were merged into this one. Volatile. */
  readonly aliases: readonly string[];
  /** Set when this claim is now only an alias. */
  readonly mergedInto: string | null;
}

/** An input that could not be worked on, with the reason. Key: the original key. */
export interface DeadLetter {
  readonly kind: 'DeadLetter';
  /** Closed list in src/pipeline/dead-letter.ts. */
  readonly reason: string;
  readonly detail: string;
  readonly service: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly schemaFingerprint: string | null;
  /** The value as it came, cut at 1 MB. */
  readonly bytes: Uint8Array;
  readonly truncated: boolean;
  readonly traceparent: string | null;
}

/** What the gate wants to serve, all tasks at once. A rollback is a higher sequence, too. */
export interface DesiredState {
  readonly kind: 'DesiredState';
  /** Rises by one; a worker refuses a lower one than it has seen. */
  readonly sequence: number;
  /** A state that was signed for another environment is refused. */
  readonly environment: string;
  readonly issuedAt: number;
  /** Limits the first activation only. */
  readonly notAfter: number;
  readonly tasks: readonly DesiredTask[];
  readonly why: string;
  readonly keyId: string;
  /** Ed25519 over this record with an empty signature. */
  readonly signature: Uint8Array;
}

export interface PictureHash {
  readonly hash: string;
  readonly flipped: string;
}

/** What the claim worker needs of one label revision. Key: collection. */
export interface Evidence {
  readonly kind: 'Evidence';
  readonly postId: string;
  readonly revision: number;
  readonly collection: string;
  readonly createdAt: number;
  /** Normalised text. */
  readonly text: string;
  /** 64-bit SimHash of the text's shingles, 16 hex digits; empty for a text too short to compare. */
  readonly simhash: string;
  readonly perceptualHashes: readonly PictureHash[];
  readonly storeKeys: readonly string[];
  readonly authorHash: string | null;
  /** Style counts (length, marks, capitals, links …). */
  readonly style: Readonly<Record<string, number>>;
  readonly informative: number | null;
}

/** A ruling as it was applied, with the posts that it covers. Key: collection. */
export interface Feedback {
  readonly kind: 'Feedback';
  readonly rulingId: string;
  readonly collection: string;
  readonly claimId: string | null;
  /** At most 1,000. */
  readonly postIds: readonly string[];
  readonly task: RulingTask;
  readonly ruling: RulingValue;
  readonly by: string;
  readonly at: number;
  readonly undoes: string | null;
}

export type Modality = 'text' | 'image';

/** What Tocsin says of a post. Readers take the highest revision. */
export interface Label {
  readonly kind: 'Label';
  readonly postId: string;
  readonly revision: number;
  readonly collection: string;
  readonly source: string;
  readonly createdAt: number;
  /** Volatile for live sources. */
  readonly receivedAt: number;
  /** Normalised text. */
  readonly text: string;
  /** ISO 639-1, or und. */
  readonly language: string;
  readonly authorHash: string | null;
  readonly tasks: readonly TaskScore[];
  /** What the scores really used. */
  readonly modalities: readonly Modality[];
  readonly pictures: readonly LabelPicture[];
  /** truncated, empty_text, orphan, … */
  readonly flags: readonly string[];
  /** Version of the normaliser. */
  readonly normaliser: string;
  /** Name of the threshold set. */
  readonly thresholds: string;
  /** Sequence of the desired state whose models made the scores; 0 for the shipped ones. */
  readonly modelSequence: number;
  readonly synthetic: boolean;
}

/** All pictures of one request are settled. Key: that of the request. */
export interface MediaEvent {
  readonly kind: 'MediaEvent';
  readonly postId: string;
  /** 32 hex digits; names the request. */
  readonly mediaSetHash: string;
  readonly items: readonly MediaItem[];
  /** Brought back unchanged from the request. */
  readonly context: MediaContext;
  /** The request's HMAC, brought back unchanged. */
  readonly mac: string;
  /** As requested; covered by the mac. */
  readonly media: readonly Media[];
}

/** The label worker asks for a post's pictures. Key: post id. */
export interface MediaRequest {
  readonly kind: 'MediaRequest';
  readonly postId: string;
  readonly mediaSetHash: string;
  readonly media: readonly Media[];
  readonly context: MediaContext;
  /** HMAC-SHA-256 (hex) over environment, postId, media and context. */
  readonly mac: string;
}

/** A person's wish about the models that serve. The gate alone decides. Key: task. */
export interface ModelRequest {
  readonly kind: 'ModelRequest';
  readonly id: string;
  readonly action: ModelAction;
  readonly task: string;
  /** Null at rollback: the champion before. */
  readonly version: string | null;
  readonly by: string;
  readonly why: string;
  /** Others who agree, where the two-person rule is on. */
  readonly approvals: readonly string[];
  readonly at: number;
}

/** Pictures of a post from a source that sends them apart. Key: post id. */
export interface PictureEvent {
  readonly kind: 'PictureEvent';
  /** The picture event's own id. */
  readonly id: string;
  readonly postId: string;
  readonly collection: string;
  readonly source: string;
  readonly createdAt: number;
  readonly media: readonly Media[];
}

/** A post as its source wrote it. Text is untrusted. */
export interface PostEvent {
  readonly kind: 'PostEvent';
  /** Also the Kafka key. */
  readonly id: string;
  /** The disaster or stream that it belongs to. */
  readonly collection: string;
  readonly source: string;
  readonly text: string;
  /** Event time, clamped once by the source. */
  readonly createdAt: number;
  readonly receivedAt: number;
  /** As the source claims; ISO 639-1. */
  readonly language: string | null;
  /** HMAC-SHA-256 of the author, 32 hex digits; never the author. */
  readonly authorHash: string | null;
  readonly place: string | null;
  readonly media: readonly Media[];
  /** The source sends this post's pictures later, as PictureEvents: keep it in the join memory. */
  readonly picturesApart: boolean;
  readonly synthetic: boolean;
}

/** A person's judgement. Key: collection. */
export interface Ruling {
  readonly kind: 'Ruling';
  readonly id: string;
  readonly collection: string;
  readonly postId: string | null;
  readonly claimId: string | null;
  readonly task: RulingTask;
  readonly ruling: RulingValue;
  readonly by: string;
  readonly at: number;
  /** Id of the ruling that this one takes back. */
  readonly undoes: string | null;
}

/** A post's own rumour score, with that of its claim at the time; the claim's newest score is in crisis.claims.v1. Key: post id. */
export interface Rumour {
  readonly kind: 'Rumour';
  readonly postId: string;
  /** Grows with every record of the post; volatile. */
  readonly revision: number;
  readonly collection: string;
  /** Volatile. */
  readonly claimId: string;
  readonly own: RumourScore;
  /** Volatile. */
  readonly claim: RumourScore;
}

export type ScoreOutcome = 'scored' | 'failed';

/** The scorer's answer to a ScoreRequest. Key: collection. */
export interface Score {
  readonly kind: 'Score';
  readonly requestId: string;
  readonly collection: string;
  readonly outcome: ScoreOutcome;
  /** That it is a rumour; calibrated. Null when failed, or when there was nothing to score. */
  readonly probability: number | null;
  readonly byModality: ModalityScores;
  /** Short machine-written reasons, e.g. `no_picture`. */
  readonly evidence: readonly string[];
  /** The model's threshold: a rumour at or above. */
  readonly yes: number;
  /** No rumour at or below; between the two the answer is unsure. */
  readonly no: number;
  readonly model: ModelRef | null;
  /** On a sampled share of the requests, while a challenger is in the shadow. */
  readonly challenger: ChallengerScore | null;
}

/** The claim worker asks how likely a content (a text with its pictures) is a rumour. One answer serves every post with that content. Key: request id. */
export interface ScoreRequest {
  readonly kind: 'ScoreRequest';
  /** Hash of collection, normalised text and store keys, 32 hex digits. */
  readonly requestId: string;
  readonly collection: string;
  /** Normalised text. */
  readonly text: string;
  readonly perceptualHashes: readonly string[];
  /** Previews in the media store, sorted. */
  readonly storeKeys: readonly string[];
  /** Time of the input that led to it. */
  readonly askedAt: number;
}

/** One entry of a worker's keyed state, written in its slice's transaction. Key: service/topic/partition/entry. */
export interface StateEntry {
  readonly kind: 'StateEntry';
  /** The input offset up to which this state holds (exclusive). */
  readonly upto: number;
  readonly value: Uint8Array;
}

export type AnyRecord = AdversarialSample | Alert | AuditEntry | Claim | DeadLetter | DesiredState | Evidence | Feedback | Label | MediaEvent | MediaRequest | ModelRequest | PictureEvent | PostEvent | Ruling | Rumour | Score | ScoreRequest | StateEntry;

export type RecordKind = AnyRecord['kind'];

export type RecordOf<K extends RecordKind> = Extract<AnyRecord, { readonly kind: K }>;
