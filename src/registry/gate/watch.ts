/**
 * What labels, rumour scores and people's rulings say of a rollout: who follows the state, how challenger and champion answer, and how often
 * people contradict them. Only what is committed is read.
 */
import { TocsinError } from '../../base/errors.ts';
import type { Codec } from '../../bus/codec.ts';
import type { Bus, ReceivedRecord } from '../../bus/port.ts';
import { TOPICS } from '../../bus/topics.ts';
import type {
  AnyRecord,
  DesiredState,
  Feedback,
  Label,
  ModelVersion,
  RecordOf,
  Score,
  TaskScore,
} from '../../event/records.ts';
import { createRulings, type Heard, type Role } from './rulings.ts';

/** How one model answered. For a task with several classes each class counts. */
export interface Side {
  readonly labels: number;
  readonly yes: number;
  readonly no: number;
  readonly unsure: number;
  /** Mean time from arrival to label, first revisions only; 0 where none is known. */
  readonly latencyMs: number;
}

export interface Observation {
  /** Partitions that are still labelled by an older state after the grace period. */
  readonly behind: readonly number[];
  /** Posts (classes of posts, contents of claims) that champion and challenger scored, and those on which they take the same side of 0.5. */
  compared(task: string): { readonly posts: number; readonly agreed: number };
  sides(task: string): { readonly champion: Side; readonly challenger: Side };
  /** What people say of a model's answers. They rule on `informative` alone. */
  heard(task: string, role: Role): Heard;
}

class Tally implements Side {
  labels = 0;
  yes = 0;
  no = 0;
  unsure = 0;
  private timed = 0;
  private sum = 0;

  add(decision: TaskScore['decision'], latencyMs: number | null): void {
    this.labels += 1;
    this[decision] += 1;
    if (latencyMs === null) return;
    this.timed += 1;
    this.sum += latencyMs;
  }

  get latencyMs(): number {
    return this.timed === 0 ? 0 : this.sum / this.timed;
  }
}

interface TaskTally {
  readonly champion: Tally;
  readonly challenger: Tally;
  readonly compared: { posts: number; agreed: number };
}

export interface Watch extends Observation {
  /** Takes one label in. */
  see(label: Label, place: { readonly partition: number; readonly timestamp: number }): void;
  /** Takes one rumour score in. It does not say which state it follows, so it tells nothing of who is behind. */
  seeScore(score: Score): void;
  /** Takes one ruling in. */
  seeFeedback(feedback: Feedback): void;
}

/** The task that scores of claims' contents are for; all others stand on labels. */
const RUMOUR = 'rumour';
/** The task of which people rule on single posts. */
const RULED = 'informative';
const NOTHING_HEARD: Heard = { ruled: 0, contrary: 0 };
/** People rule on what came lately. */
const REMEMBERED_POSTS = 100_000;

/** An empty watch over what follows this state. */
export function createWatch(state: DesiredState, graceMs: number): Watch {
  const behind = new Set<number>();
  const tallies = new Map<string, TaskTally>();
  const rulings = createRulings(REMEMBERED_POSTS);
  const tallyOf = (task: string): TaskTally => {
    const known = tallies.get(task) ?? {
      champion: new Tally(),
      challenger: new Tally(),
      compared: { posts: 0, agreed: 0 },
    };
    tallies.set(task, known);
    return known;
  };
  /** Which of the two answered. */
  const take = (
    { champion, challenger }: DesiredState['tasks'][number],
    tally: TaskTally,
    score: Pick<TaskScore, 'probability' | 'decision' | 'model' | 'challenger'>,
    latencyMs: number | null,
  ): Role | null => {
    const role = score.model && roleOf(score.model, champion, challenger);
    if (role) tally[role].add(score.decision, latencyMs);
    compare(tally, score);
    return role;
  };
  const compare = (tally: TaskTally, score: Pick<TaskScore, 'probability' | 'challenger'>): void => {
    const beside = score.challenger?.probability ?? null;
    if (beside === null || score.probability === null) return;
    tally.compared.posts += 1;
    if (score.probability >= 0.5 === beside >= 0.5) tally.compared.agreed += 1;
  };
  return {
    get behind() {
      return [...behind].sort((a, b) => a - b);
    },
    compared: (task) => tallyOf(task).compared,
    sides: (task) => tallyOf(task),
    heard: (task, role) => (task === RULED ? rulings.of(role) : NOTHING_HEARD),
    see(label, { partition, timestamp }) {
      if (label.modelSequence >= state.sequence) behind.delete(partition);
      else {
        if (timestamp > state.issuedAt + graceMs) behind.add(partition);
        return;
      }
      const latencyMs = label.revision === 1 ? Math.max(0, timestamp - label.receivedAt) : null;
      for (const task of state.tasks)
        for (const score of label.tasks) {
          if (score.task !== task.task) continue;
          const role = take(task, tallyOf(task.task), score, latencyMs);
          if (role && task.task === RULED) rulings.answered(label.postId, role, score.decision);
        }
    },
    seeFeedback: rulings.see,
    seeScore(score) {
      const task = state.tasks.find((entry) => entry.task === RUMOUR);
      if (task) take(task, tallyOf(RUMOUR), { ...score, decision: decisionOf(score) }, null);
    },
  };
}

type Named = Pick<ModelVersion, 'name' | 'version'>;

const isBy = (model: Named, version: Named | null): boolean =>
  model.name === version?.name && model.version === version.version;

function roleOf(model: Named, champion: Named, challenger: Named | null): Role | null {
  if (isBy(model, champion)) return 'champion';
  return isBy(model, challenger) ? 'challenger' : null;
}

function decisionOf({ probability, yes, no }: Score): TaskScore['decision'] {
  if (probability === null) return 'unsure';
  if (probability >= yes) return 'yes';
  return probability <= no ? 'no' : 'unsure';
}

interface Feed {
  readonly bus: Bus;
  readonly codec: Codec;
  readonly signal: AbortSignal;
}

/**
 * Feeds a watch with what was written since its state was issued, until the signal aborts: labels, rulings where people can rule, and
 * while there is a challenger for rumour its scores, which lie among all other evidence.
 */
export async function watchAnswers(watch: Watch, state: DesiredState, feed: Feed): Promise<void> {
  const hasRumour = state.tasks.some(({ task, challenger }) => task === RUMOUR && challenger);
  const hasRuled = state.tasks.some(({ task }) => task === RULED);
  await Promise.all([
    follow(feed, TOPICS.labels, state.issuedAt, 'Label', (label, record) => watch.see(label, record)),
    ...(hasRuled
      ? [follow(feed, TOPICS.feedback, state.issuedAt, 'Feedback', (feedback) => watch.seeFeedback(feedback))]
      : []),
    ...(hasRumour
      ? [follow(feed, TOPICS.evidence, state.issuedAt, 'Score', (score) => watch.seeScore(score))]
      : []),
  ]);
}

async function follow<K extends 'Label' | 'Score' | 'Feedback'>(
  { bus, codec, signal }: Feed,
  topic: string,
  timestamp: number,
  kind: K,
  see: (record: RecordOf<K>, place: ReceivedRecord) => void,
): Promise<void> {
  for await (const batch of bus.read(topic, { from: { timestamp }, signal }))
    for (const received of batch) {
      const record = decoded(codec, received);
      if (record?.kind === kind) see(record as RecordOf<K>, received);
    }
}

/** Null for what cannot be read; the ledger's business, not ours. */
function decoded(codec: Codec, record: ReceivedRecord): AnyRecord | null {
  try {
    return codec.decode(record.value ?? new Uint8Array());
  } catch (thrown) {
    if (thrown instanceof TocsinError) return null;
    throw thrown;
  }
}
