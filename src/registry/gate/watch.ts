/** What the labels say of a rollout: who follows the state, and how challenger and champion answer. Nothing but committed labels is read. */
import { TocsinError } from '../../base/errors.ts';
import type { Codec } from '../../bus/codec.ts';
import type { Bus, ReceivedRecord } from '../../bus/port.ts';
import { TOPICS } from '../../bus/topics.ts';
import type { DesiredState, Label, ModelVersion, TaskScore } from '../../event/records.ts';

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
  /** Posts (or classes of posts) that champion and challenger scored, and those on which they take the same side of 0.5. */
  compared(task: string): { readonly posts: number; readonly agreed: number };
  sides(task: string): { readonly champion: Side; readonly challenger: Side };
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
}

/** An empty watch over what follows this state. */
export function createWatch(state: DesiredState, graceMs: number): Watch {
  const behind = new Set<number>();
  const tallies = new Map<string, TaskTally>();
  const tallyOf = (task: string): TaskTally => {
    const known = tallies.get(task) ?? {
      champion: new Tally(),
      challenger: new Tally(),
      compared: { posts: 0, agreed: 0 },
    };
    tallies.set(task, known);
    return known;
  };
  return {
    get behind() {
      return [...behind].sort((a, b) => a - b);
    },
    compared: (task) => tallyOf(task).compared,
    sides: (task) => tallyOf(task),
    see(label, { partition, timestamp }) {
      if (label.modelSequence >= state.sequence) behind.delete(partition);
      else {
        if (timestamp > state.issuedAt + graceMs) behind.add(partition);
        return;
      }
      const latencyMs = label.revision === 1 ? Math.max(0, timestamp - label.receivedAt) : null;
      for (const { task, champion, challenger } of state.tasks) {
        const tally = tallyOf(task);
        for (const score of label.tasks) {
          if (score.task !== task || !score.model) continue;
          if (isBy(score.model, champion)) tally.champion.add(score.decision, latencyMs);
          else if (challenger && isBy(score.model, challenger))
            tally.challenger.add(score.decision, latencyMs);
          const beside = score.challenger?.probability ?? null;
          if (beside === null || score.probability === null) continue;
          tally.compared.posts += 1;
          if (score.probability >= 0.5 === beside >= 0.5) tally.compared.agreed += 1;
        }
      }
    },
  };
}

const isBy = (model: { readonly name: string; readonly version: string }, version: ModelVersion): boolean =>
  model.name === version.name && model.version === version.version;

/** Feeds a watch with the labels written since its state was issued, until the signal aborts. */
export async function watchLabels(
  watch: Watch,
  state: DesiredState,
  deps: { readonly bus: Bus; readonly codec: Codec; readonly signal: AbortSignal },
): Promise<void> {
  const { bus, codec, signal } = deps;
  for await (const batch of bus.read(TOPICS.labels, { from: { timestamp: state.issuedAt }, signal }))
    for (const record of batch) {
      const label = labelOf(codec, record);
      if (label) watch.see(label, record);
    }
}

/** Null for what is no label; the ledger's business, not ours. */
function labelOf(codec: Codec, record: ReceivedRecord): Label | null {
  try {
    const decoded = codec.decode(record.value ?? new Uint8Array());
    return decoded.kind === 'Label' ? decoded : null;
  } catch (thrown) {
    if (thrown instanceof TocsinError) return null;
    throw thrown;
  }
}
