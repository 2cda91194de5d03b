/** The label worker's task with a log of its own: offsets, state and outputs as a bus would keep them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { partitionOf } from '../../src/base/murmur2.ts';
import { type Codec, createCodec } from '../../src/bus/codec.ts';
import type { OutgoingRecord, PartitionTask, ReceivedRecord } from '../../src/bus/port.ts';
import { TOPICS } from '../../src/bus/topics.ts';
import { createLabelStages, type LabelModels } from '../../src/cli/label-worker.ts';
import type { Vocabularies } from '../../src/embed/stage.ts';
import type {
  AnyRecord,
  DeadLetter,
  Evidence,
  Label,
  MediaEvent,
  MediaItem,
  MediaRequest,
  PictureEvent,
  PostEvent,
} from '../../src/event/records.ts';
import { createMetrics, type Metrics } from '../../src/metrics/metrics.ts';
import type {
  ClassScorer,
  ScoreInput,
  ScoreOutput,
  Scorer,
  Scorers,
  Vocabulary,
} from '../../src/models/port.ts';
import { type CrashGuard, openCrashGuard } from '../../src/pipeline/crash-guard.ts';
import { createLabelTask, type LabelStages } from '../../src/pipeline/label-task.ts';
import { decodeRow, EMPTY_ROW, LEDGER_ENTRY, type LedgerRow } from '../../src/pipeline/ledger.ts';
import { inlineLanguages } from './languages.ts';

export const codec: Codec = createCodec();
export const CONTEXT_KEY: Uint8Array = Buffer.alloc(32, 7);
export const ENVIRONMENT = 'lab';
/** 2023-11-14, event time of the first post. */
export const T0 = 1_700_000_000_000;
const PARTITIONS = 6;

/** Words get rows by a hash; `blorb` is a word that nobody knows. */
export const tinyVocabulary: Vocabulary = {
  id: 'tiny',
  size: 1_000,
  encode(text) {
    const rows = new Int32Array(15);
    tinyVocabulary.read(text).forEach((word, i) => {
      rows[i] = word === 'blorb' ? 0 : 1 + partitionOf(word, 998);
    });
    return rows;
  },
  read: (text) => (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).slice(0, 15),
  word: (row) => `word ${row}`,
};

/** `known` leaves out what nobody knows. */
export const tinyWords: Vocabularies = {
  first: { vocabulary: tinyVocabulary },
  known: {
    vocabulary: { ...tinyVocabulary, encode: (text) => tinyVocabulary.encode(text.replaceAll('blorb ', '')) },
  },
};

const meanOf = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

/** Scores follow from the mean of rows and pixels: enough to see what was scored, and with what. */
export const tinyScorer: Scorer = {
  model: { name: 'tiny', version: '1', sha256: 'ab' },
  reading: 'first',
  thresholds: { name: 'tiny-1', yes: 0.6, no: 0.4 },
  async score(batch: readonly ScoreInput[]): Promise<readonly ScoreOutput[]> {
    return batch.map(({ words, pixels }) => {
      const known = words.filter((row) => row !== 0);
      const text = known.length > 0 ? meanOf(known) / 1_000 : null;
      const image = pixels ? meanOf(pixels) / 255 : null;
      const parts = [text, image].filter((score) => score !== null);
      return {
        probability: parts.length > 0 ? meanOf(parts) : null,
        byModality: { text, image },
        modalities: [
          ...(text === null ? [] : ['text' as const]),
          ...(image === null ? [] : ['image' as const]),
        ],
      };
    });
  },
  close: async () => {},
};

/** Two classes: `wet` has the text's score of `tinyScorer`, `dry` what is missing to one. */
const tinyHumanitarian: ClassScorer = {
  model: { name: 'tiny-classes', version: '1', sha256: 'cd' },
  reading: 'first',
  classes: [
    { name: 'wet', yes: 0.6, no: 0.4 },
    { name: 'dry', yes: 0.7, no: 0.3 },
  ],
  thresholds: 'tiny-2',
  async score(batch) {
    return (await tinyScorer.score(batch)).map(({ probability, byModality, modalities }) => {
      const both = (p: number | null): number[] | null => (p === null ? null : [p, 1 - p]);
      return {
        probabilities: both(probability),
        byModality: { text: both(byModality.text), image: both(byModality.image) },
        modalities,
      };
    });
  },
  close: async () => {},
};

export const tinyScorers: Scorers = { informative: tinyScorer, humanitarian: tinyHumanitarian };

/** Models that are never swapped. */
export const steadyModels = (scorers: Scorers, sequence = 0): LabelModels => ({
  lease: () => ({
    value: {
      sequence,
      on: (task) => ({ answers: scorers[task] as never, shadow: null }),
      close: async () => {},
    },
    release: () => {},
  }),
  reach: async () => {},
});

/** A clock that stands still until it is moved. */
export function stillClock(start: number = T0): Clock & { move(ms: number): void } {
  let now = start;
  return {
    now: () => now,
    monotonic: () => now,
    sleep: async () => {},
    move(ms) {
      now += ms;
    },
  };
}

export function post(id: string, more: Partial<PostEvent> = {}): PostEvent {
  return {
    kind: 'PostEvent',
    id,
    collection: 'flood',
    source: 'test',
    text: 'water in the streets',
    createdAt: T0,
    receivedAt: T0,
    language: null,
    authorHash: null,
    place: null,
    media: [],
    picturesApart: false,
    synthetic: false,
    ...more,
  };
}

export function picture(id: string, postId: string, more: Partial<PictureEvent> = {}): PictureEvent {
  return {
    kind: 'PictureEvent',
    id,
    postId,
    collection: 'flood',
    source: 'test',
    createdAt: T0,
    media: [{ id: 'm1', ref: `store:${id}` }],
    ...more,
  };
}

const pixels = (value: number): Uint8Array => Buffer.alloc(12_288, value);

export function readyItem(id: string, value = 200): MediaItem {
  return {
    id,
    outcome: 'ready',
    reason: null,
    pixels64: pixels(value),
    perceptualHash: '00ff00ff00ff00ff',
    perceptualHashFlipped: 'ff00ff00ff00ff00',
    thumbhash: Buffer.from([1, 2, 3]),
    storeKey: 'cafe',
  };
}

export function refusedItem(id: string, reason = 'not_found'): MediaItem {
  return {
    id,
    outcome: 'refused',
    reason,
    pixels64: null,
    perceptualHash: null,
    perceptualHashFlipped: null,
    thumbhash: null,
    storeKey: null,
  };
}

/** What the media worker would answer. */
export function answer(
  request: MediaRequest,
  item: (id: string) => MediaItem = (id) => readyItem(id),
): MediaEvent {
  const { postId, mediaSetHash, context, mac, media } = request;
  return {
    kind: 'MediaEvent',
    postId,
    mediaSetHash,
    items: media.map(({ id }) => item(id)),
    context,
    mac,
    media,
  };
}

const keyOf = (record: AnyRecord): string => {
  if (record.kind === 'PostEvent') return record.id;
  return 'postId' in record ? String(record.postId) : 'other';
};

/** An input as the bus would hand it over; `raw` overrides what a broken producer would get wrong. */
export function input(
  record: AnyRecord | Uint8Array | null,
  raw: Partial<ReceivedRecord> = {},
): ReceivedRecord {
  const bytes = record === null || record instanceof Uint8Array ? record : codec.encode(record);
  const key = record === null || record instanceof Uint8Array ? 'some-key' : keyOf(record);
  return {
    topic: TOPICS.events,
    partition: partitionOf(raw.key ?? key, PARTITIONS),
    offset: 0n,
    key,
    value: bytes,
    headers: {},
    timestamp: T0,
    ...raw,
  };
}

/** Outputs of a run, decoded. */
export interface Outputs {
  readonly all: readonly { readonly message: OutgoingRecord; readonly record: AnyRecord }[];
  readonly labels: readonly Label[];
  readonly evidence: readonly Evidence[];
  readonly requests: readonly MediaRequest[];
  readonly dead: readonly DeadLetter[];
}

function decodeOutputs(messages: readonly OutgoingRecord[]): Outputs {
  const all = messages.map((message) => ({ message, record: codec.decode(message.value) }));
  const of = <K extends AnyRecord['kind']>(kind: K): Extract<AnyRecord, { kind: K }>[] =>
    all.flatMap(({ record }) => (record.kind === kind ? [record as Extract<AnyRecord, { kind: K }>] : []));
  return {
    all,
    labels: of('Label'),
    evidence: of('Evidence'),
    requests: of('MediaRequest'),
    dead: of('DeadLetter'),
  };
}

export interface HarnessOptions {
  readonly dedupWindowMs?: number;
  readonly joinWindowMs?: number;
  readonly maxDedupIds?: number;
  readonly maxJoinEntries?: number;
  readonly maxPendingRequests?: number;
  readonly sliceRecords?: number;
  readonly clock?: Clock;
  readonly guard?: CrashGuard;
  readonly metrics?: Metrics;
  readonly stages?: Partial<LabelStages>;
  readonly models?: LabelModels;
}

/** One partition: every input is given to it, whatever its key says (records carry the partition of their key). */
export interface LabelHarness {
  /** Works on inputs as one slice, commits, returns what this slice wrote. */
  run(...inputs: ReceivedRecord[]): Promise<Outputs>;
  /** Runs a slice that does not get committed; the task is thrown away. */
  fail(...inputs: ReceivedRecord[]): Promise<void>;
  /** Throws the task away and opens a new one from the committed state. */
  reopen(): Promise<void>;
  /** Everything that was committed. */
  outputs(): Outputs;
  ledger(): LedgerRow;
  readonly state: ReadonlyMap<string, Uint8Array>;
  close(): Promise<void>;
}

const noGuard: CrashGuard = {
  unclean: false,
  killsOf: () => 0,
  enter: () => {},
  leave: () => {},
  close: () => {},
};

export function createLabelHarness(options: HarnessOptions = {}): LabelHarness {
  const clock = options.clock ?? stillClock();
  const metrics = options.metrics ?? createMetrics({ bare: true });
  const stages: LabelStages = {
    ...createLabelStages(
      {
        codec,
        models: options.models ?? steadyModels(tinyScorers),
        words: tinyWords,
        languages: inlineLanguages,
        metrics,
        settings: { shadowShare: 1 },
      },
      PARTITIONS,
    ),
    ...options.stages,
  };
  const state = new Map<string, Uint8Array>();
  const committed: OutgoingRecord[] = [];
  let upto = 0n;
  let task: PartitionTask | null = null;
  const open = (): PartitionTask =>
    createLabelTask(
      {
        partition: 0,
        stages,
        codec,
        clock,
        log: silentLog,
        metrics,
        guard: options.guard ?? noGuard,
        key: CONTEXT_KEY,
        environment: ENVIRONMENT,
        dedup: { windowMs: options.dedupWindowMs ?? 7_200_000, maxIds: options.maxDedupIds ?? 1_000_000 },
        join: {
          windowMs: options.joinWindowMs ?? 3_600_000,
          maxEntries: options.maxJoinEntries ?? 50_000,
          maxPictures: 256,
        },
        pending: { maxAgeMs: 86_400_000, maxRequests: options.maxPendingRequests ?? 100_000 },
        sliceRecords: options.sliceRecords ?? 256,
        rows: new Map(),
      },
      { upto, entries: new Map(state) },
    );
  const process = async (
    inputs: readonly ReceivedRecord[],
  ): Promise<{ sent: OutgoingRecord[]; changes: Map<string, Uint8Array | null> }> => {
    task ??= open();
    const sent: OutgoingRecord[] = [];
    const changes = new Map<string, Uint8Array | null>();
    const placed = inputs.map((record, i) => ({ ...record, offset: upto + BigInt(i) }));
    await task.process(
      placed,
      { send: (record) => sent.push(record), putState: (entry, value) => changes.set(entry, value) },
      new AbortController().signal,
    );
    return { sent, changes };
  };
  return {
    async run(...inputs) {
      const { sent, changes } = await process(inputs);
      for (const [entry, value] of changes)
        if (value === null) state.delete(entry);
        else state.set(entry, Buffer.from(value));
      upto += BigInt(inputs.length);
      committed.push(...sent);
      task?.committed?.();
      return decodeOutputs(sent);
    },
    async fail(...inputs) {
      await process(inputs);
      await task?.close?.();
      task = null;
    },
    async reopen() {
      await task?.close?.();
      task = null;
    },
    outputs: () => decodeOutputs(committed),
    ledger: () => {
      const row = state.get(LEDGER_ENTRY);
      return row ? decodeRow(row) : EMPTY_ROW;
    },
    state,
    async close() {
      await task?.close?.();
    },
  };
}

/** A crash guard in a folder that goes away. */
export function temporaryGuards(): {
  open(pid: number, alive?: (pid: number) => boolean): CrashGuard;
  remove(): void;
} {
  const dir = mkdtempSync(join(tmpdir(), 'tocsin-guard-'));
  return {
    open: (pid, isAlive = () => false) =>
      openCrashGuard({ dir, service: 'label', partition: 0, pid, isAlive }),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}
