/**
 * Follows labels and human rulings. Texts of the newest posts are kept in memory, so that a ruling finds the posts that it
 * covers; what was ruled on goes to the buffer. Positions are not kept: both topics are read again at a start, the rulings
 * from their beginning, and what is known already changes nothing.
 */
import { TocsinError } from '../base/errors.ts';
import type { Codec } from '../bus/codec.ts';
import type { Bus, ReadFrom, ReceivedRecord } from '../bus/port.ts';
import { TOPICS } from '../bus/topics.ts';
import type { AnyRecord, Feedback, Label } from '../event/records.ts';
import type { Vocabulary } from '../models/port.ts';
import type { Buffer, KeptRuling, RuledPost } from './buffer.ts';
import type { DriftDetector, DriftFigures } from './drift.ts';

export interface IntakeDeps {
  readonly bus: Bus;
  readonly codec: Codec;
  readonly buffer: Buffer;
  readonly vocabulary: Vocabulary;
  readonly detector: DriftDetector;
  /** Posts of which the text is remembered. */
  readonly memory: number;
  /** Told of every comparison. */
  readonly looked: (figures: DriftFigures) => void;
  /** Told of every alarm. */
  readonly drifted: (figures: DriftFigures) => void;
}

export interface Intake {
  /** Takes everything that is on the topics now. */
  catchUp(): Promise<void>;
  /** Takes what comes from then on. Settles when the signal aborts; rejects when the bus fails. */
  follow(signal: AbortSignal): Promise<void>;
}

export function createIntake(deps: IntakeDeps): Intake {
  const { bus, codec, buffer, vocabulary, detector, looked, drifted } = deps;
  const memory = new Map<string, RuledPost>();
  /** Ruled on, but of unknown text. */
  const wanted = new Set<string>();
  const next = new Map<string, bigint>();

  const isNew = ({ topic, partition, offset }: ReceivedRecord): boolean => {
    const place = `${topic}/${partition}`;
    if (offset < (next.get(place) ?? 0n)) return false;
    next.set(place, offset + 1n);
    return true;
  };

  const takeLabels = async (records: readonly ReceivedRecord[]): Promise<void> => {
    const found: RuledPost[] = [];
    for (const record of records) {
      const label = isNew(record) ? decode(codec, record) : null;
      if (label?.kind !== 'Label' || label.text === '') continue;
      if (label.revision === 1) watch(label);
      const post = postOf(label);
      memory.delete(post.id);
      memory.set(post.id, post);
      const [oldest] = memory.keys();
      if (memory.size > deps.memory && oldest !== undefined) memory.delete(oldest);
      if (wanted.delete(post.id)) found.push(post);
    }
    await buffer.add({ posts: found });
  };

  const watch = ({ tasks, text }: Label): void => {
    const score = tasks.find(({ task }) => task === 'informative');
    if (!score || score.probability === null) return;
    const { decision, probability } = score;
    const alarm = detector.observe({ decision, probability, words: vocabulary.encode(text) });
    const figures = detector.figures();
    if (figures) looked(figures);
    if (alarm) drifted(alarm);
  };

  const takeRulings = async (records: readonly ReceivedRecord[]): Promise<void> => {
    const rulings: KeptRuling[] = [];
    const posts: RuledPost[] = [];
    for (const record of records) {
      const feedback = isNew(record) ? decode(codec, record) : null;
      if (feedback?.kind !== 'Feedback' || feedback.task !== 'informative') continue;
      rulings.push(rulingOf(feedback));
      for (const id of feedback.postIds) {
        const post = memory.get(id);
        if (post) posts.push(post);
        else if (!buffer.posts().has(id)) wanted.add(id);
      }
    }
    await buffer.add({ rulings, posts });
  };

  const perPartition = async (): Promise<ReadFrom> => {
    const partitions = (await bus.admin.ranges(TOPICS.labels)).length;
    if (partitions === 0) throw new TocsinError('UNKNOWN_TOPIC', `${TOPICS.labels} does not exist`);
    return { lastRecords: Math.ceil(deps.memory / partitions) };
  };

  return {
    async catchUp() {
      const from = await perPartition();
      for await (const batch of bus.read(TOPICS.labels, { from, stopAtEnd: true })) await takeLabels(batch);
      for await (const batch of bus.read(TOPICS.feedback, { from: 'earliest', stopAtEnd: true }))
        await takeRulings(batch);
    },
    async follow(signal) {
      const labels = async (): Promise<void> => {
        const from = await perPartition();
        for await (const batch of bus.read(TOPICS.labels, { from, signal })) await takeLabels(batch);
      };
      const rulings = async (): Promise<void> => {
        for await (const batch of bus.read(TOPICS.feedback, { from: 'earliest', signal }))
          await takeRulings(batch);
      };
      await Promise.all([labels(), rulings()]);
    },
  };
}

/** Null for what is no record of ours: readers of other services count those. */
function decode(codec: Codec, { value }: ReceivedRecord): AnyRecord | null {
  try {
    return value && codec.decode(value);
  } catch (error) {
    if (error instanceof TocsinError) return null;
    throw error;
  }
}

const postOf = ({ postId, text, authorHash, source, collection, language, createdAt }: Label): RuledPost => ({
  id: postId,
  text,
  author: authorHash,
  source,
  collection,
  language,
  createdAt,
});

const rulingOf = ({ rulingId, postIds, ruling, by, at, undoes }: Feedback): KeptRuling => ({
  rulingId,
  postIds,
  ruling,
  by,
  at,
  undoes,
});
