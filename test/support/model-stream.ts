/** A stream of posts under label workers, and what labels and states say of it while models change. */
import { createCodec } from '../../src/bus/codec.ts';
import { message, NO_LINEAGE } from '../../src/bus/messages.ts';
import type { Bus } from '../../src/bus/port.ts';
import { TOPICS } from '../../src/bus/topics.ts';
import type { DesiredState, Label, TaskScore } from '../../src/event/records.ts';
import { accounted, openTarget, type Target } from './pipeline.ts';
import { startSteadyLoad } from './steady-load.ts';
import { textPost } from './text-post.ts';
import { eventually } from './tocsin.ts';

export interface Seen {
  readonly label: Label;
  readonly partition: number;
}

/** What the stream comes to. */
export interface StreamFigures {
  readonly posts: number;
  /** Posts by the version that labelled them. */
  readonly labelledBy: Readonly<Record<string, number>>;
  readonly lost: number;
  readonly doubled: number;
  /** What must not be; empty when all is well. */
  readonly faults: readonly string[];
}

export interface ModelStream {
  readonly bus: Bus;
  readonly partitions: number;
  /** In the order in which they were read. */
  readonly seen: readonly Seen[];
  readonly states: readonly DesiredState[];
  /** Whether one of the newest labels is so. */
  newest(predicate: (one: Seen) => boolean): boolean;
  /** Waits until the newest label of every partition is by this version. */
  everywhere(version: string, timeoutMs?: number): Promise<void>;
  /** Sends no more, and counts once all is labelled. */
  end(): Promise<StreamFigures>;
  /** Lets go of everything, whether it ended or not. */
  close(): Promise<void>;
}

const codec = createCodec();
export const TASK = 'informative';
export const COLLECTION = 'chain';

/** What a label says of the task. */
export const scoreIn = ({ tasks }: Label): TaskScore | undefined => tasks.find(({ task }) => task === TASK);

/** The version that answered. */
export const versionIn = (label: Label): string | null => scoreIn(label)?.model?.version ?? null;

/** What a state was announced for: shadow, canary, promote, … */
export const said = ({ why }: DesiredState): string => why.split(' ')[0] as string;

/**
 * @param champion version that serves before any state
 * @param rate posts a second
 * @param text of the n-th post, whose id is `p<n>`
 */
export async function openModelStream(
  target: Target,
  given: { readonly champion: string; readonly rate: number; readonly text: (n: number) => string },
): Promise<ModelStream> {
  const stop = new AbortController();
  const bus = await openTarget(target);
  const partitions = (await bus.admin.ranges(TOPICS.events)).length;
  const seen: Seen[] = [];
  const states: DesiredState[] = [];
  const reading = Promise.all([
    follow(bus, TOPICS.labels, stop.signal, (label, partition) =>
      seen.push({ label: label as Label, partition }),
    ),
    follow(bus, TOPICS.models, stop.signal, (state) => states.push(state as DesiredState)),
  ]);
  const load = startSteadyLoad(given.rate, (from, count) => sendPosts(bus, given.text, from, count));
  await eventually('the first label', () => seen.length > 0);
  /** Partitions of which the last label is by this version. */
  const servedBy = (wanted: string): number => {
    const last = new Map<number, string | null>();
    for (const { label, partition } of seen.slice(-400)) last.set(partition, versionIn(label));
    return [...last.values()].filter((one) => one === wanted).length;
  };
  return {
    bus,
    partitions,
    seen,
    states,
    newest: (predicate) => seen.slice(-200).some(predicate),
    async everywhere(version, timeoutMs = 60_000) {
      await eventually(`${version} everywhere`, () => servedBy(version) === partitions, {
        timeoutMs,
        everyMs: 20,
      });
    },
    async end() {
      const posts = await load.stop();
      const { received, labelled, dead, duplicate } = await accounted(target, posts);
      await eventually('all labels read', () => seen.length >= posts);
      const names = seen.map(({ label }) => `${label.postId}/${label.revision}`);
      const distinct = new Set(names).size;
      const labelledBy: Record<string, number> = {};
      for (const { label } of seen) {
        const by = versionIn(label) ?? 'nobody';
        labelledBy[by] = (labelledBy[by] ?? 0) + 1;
      }
      const booked = received === posts && labelled === posts && dead + duplicate === 0;
      return {
        posts,
        labelledBy,
        lost: posts - distinct,
        doubled: names.length - distinct,
        faults: [
          ...(booked ? [] : ['the ledger disagrees']),
          ...foreignLabels(seen, states, given.champion),
        ].slice(0, 10),
      };
    },
    async close() {
      await load.stop();
      stop.abort();
      await reading;
      await bus.close();
    },
  };
}

/** Every label is by the model that its state names for its partition; no partition goes back to an older state. */
function foreignLabels(
  seen: readonly Seen[],
  states: readonly DesiredState[],
  champion: string,
): readonly string[] {
  const bySequence = new Map(states.map((state) => [state.sequence, state]));
  const newest = new Map<number, number>();
  return seen.flatMap(({ label, partition }) => {
    const { modelSequence: sequence, postId } = label;
    const task = bySequence.get(sequence)?.tasks.find(({ task: name }) => name === TASK);
    const wanted = task?.canary.includes(partition) ? task.challenger : task?.champion;
    const by = versionIn(label);
    const wrong = [
      ...(by === null || by === (wanted?.version ?? champion) ? [] : [`${postId} (${sequence}) is by ${by}`]),
      ...(sequence < (newest.get(partition) ?? 0) ? [`${postId} is of the older state ${sequence}`] : []),
    ];
    newest.set(partition, sequence);
    return wrong;
  });
}

async function follow(
  bus: Bus,
  topic: string,
  signal: AbortSignal,
  take: (record: unknown, partition: number) => void,
): Promise<void> {
  for await (const batch of bus.read(topic, { from: 'earliest', signal }))
    for (const { value, partition } of batch) if (value) take(codec.decode(value), partition);
}

/** @param from number of the first of them */
async function sendPosts(bus: Bus, text: (n: number) => string, from: number, count: number): Promise<void> {
  const posts = Array.from({ length: count }, (_, i) => textPost(`p${from + i}`, text(from + i), COLLECTION));
  await bus.produce(
    posts.map((record) =>
      message(codec, TOPICS.events, record, {
        key: record.id,
        id: record.id,
        source: 'test',
        time: record.createdAt,
        lineage: NO_LINEAGE,
      }),
    ),
  );
}
