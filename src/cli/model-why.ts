/** `tocsin models why POST`: which models labelled it, by which state, and what today's champions say of its text. */
import { silentLog } from '../base/log.ts';
import { partitionOf } from '../base/murmur2.ts';
import { NO_LINEAGE } from '../bus/messages.ts';
import { TOPICS } from '../bus/topics.ts';
import type { Label, TaskScore } from '../event/records.ts';
import { createMetrics } from '../metrics/metrics.ts';
import { CHAMPION_DIR, HUMANITARIAN_CHAMPION_DIR } from '../registry/champions.ts';
import { type RegistryView, viewRegistry } from './model-registry.ts';
import { EXIT, type Runtime } from './runtime.ts';
import { openRegistry } from './serving-models.ts';

interface Answer {
  readonly postId: string;
  readonly labels: readonly {
    readonly revision: number;
    /** When it was written, ms. */
    readonly at: number;
    readonly sequence: number;
    /** Why the state that it was made by was announced; null for the shipped models. */
    readonly state: { readonly issuedAt: number; readonly why: string } | null;
    readonly modalities: Label['modalities'];
    readonly tasks: readonly Said[];
  }[];
  /** From the text alone, by the champions in force now. */
  readonly today: { readonly sequence: number; readonly tasks: readonly Said[] };
}

type Said = Pick<TaskScore, 'task' | 'label' | 'probability' | 'decision' | 'model'>;

const said = ({ task, label, probability, decision, model }: TaskScore): Said => ({
  task,
  label,
  probability,
  decision,
  model,
});

export async function why(postId: string, runtime: Runtime, output: string): Promise<number> {
  const labels = await labelsOf(postId, runtime);
  const last = labels.at(-1);
  if (!last) {
    process.stderr.write(`tocsin models: there is no label of post ${postId} on the bus\n`);
    return EXIT.failure;
  }
  const view = await viewRegistry(runtime);
  const answer: Answer = {
    postId,
    labels: labels.map(({ label, at }) => ({
      revision: label.revision,
      at,
      sequence: label.modelSequence,
      state: stateOf(view, label.modelSequence),
      modalities: label.modalities,
      tasks: label.tasks.map(said),
    })),
    today: await scoreToday(last.label, runtime, view),
  };
  process.stdout.write(output === 'json' ? `${JSON.stringify(answer)}\n` : text(answer));
  return EXIT.ok;
}

/** Its revisions, ascending. */
async function labelsOf(
  postId: string,
  { bus, codec, signal }: Runtime,
): Promise<{ readonly label: Label; readonly at: number }[]> {
  const partitions = (await bus.admin.ranges(TOPICS.labels)).length;
  const found = new Map<number, { label: Label; at: number }>();
  const options = {
    from: 'earliest',
    stopAtEnd: true,
    partitions: [partitionOf(postId, partitions)],
  } as const;
  for await (const batch of bus.read(TOPICS.labels, { ...options, signal }))
    for (const { key, value, timestamp } of batch) {
      if (key !== postId || value === null) continue;
      const label = codec.decode(value);
      if (label.kind === 'Label') found.set(label.revision, { label, at: timestamp });
    }
  return [...found.values()].sort((a, b) => a.label.revision - b.label.revision);
}

function stateOf(view: RegistryView, sequence: number): Answer['labels'][number]['state'] {
  const state = view.history.find((other) => other.sequence === sequence);
  return state ? { issuedAt: state.issuedAt, why: state.why } : null;
}

/** Through the very stage that labels. */
async function scoreToday(
  label: Label,
  { settings }: Runtime,
  { history }: RegistryView,
): Promise<Answer['today']> {
  // Loaded here, not above: they bring ONNX Runtime, and `tocsin --help` loads every command.
  const { labelOpeners } = await import('../models/serving/label-openers.ts');
  const { createLineUps } = await import('../models/serving/line-up.ts');
  const { loadAllWords } = await import('../models/words.ts');
  const { rowsOf } = await import('../embed/stage.ts');
  const { createScoreStage } = await import('../score/stage.ts');
  const registry = openRegistry(settings);
  const sources = {
    informative: await registry.source('informative', settings.modelDir || CHAMPION_DIR),
    humanitarian: await registry.source(
      'humanitarian',
      settings.humanitarianModelDir || HUMANITARIAN_CHAMPION_DIR,
    ),
  };
  const metrics = createMetrics({ bare: true });
  const words = loadAllWords();
  const newest = history.at(-1) ?? null;
  // The champions alone: a challenger says nothing yet.
  const state = newest && {
    ...newest,
    tasks: newest.tasks.map((task) => ({ ...task, challenger: null, canary: [] })),
  };
  const lineUp = await createLineUps(
    labelOpeners(sources, { threads: 1, words: Object.values(words), metrics, log: silentLog }),
  ).make(state);
  try {
    const stage = createScoreStage({
      informative: lineUp.on('informative', 0).answers,
      humanitarian: lineUp.on('humanitarian', 0).answers,
    });
    const { postId: labelId, revision, text, language, collection, source, createdAt } = label;
    const { authorHash, flags, synthetic, receivedAt } = label;
    const context = {
      labelId,
      revision,
      text,
      language,
      collection,
      source,
      createdAt,
      authorHash,
      flags,
      synthetic,
    };
    const draft = { context, receivedAt, pictures: [], ready: [], lineage: NO_LINEAGE };
    const rows = rowsOf(words, text);
    const [outcome] = await stage.process([{ draft, rows }], new AbortController().signal);
    return {
      sequence: newest?.sequence ?? 0,
      tasks: outcome?.kind === 'passed' ? outcome.value.tasks.map(said) : [],
    };
  } finally {
    await lineUp.close();
  }
}

function text({ postId, labels, today }: Answer): string {
  const line = ({ task, label, probability, decision, model }: Said): string =>
    `    ${task}${label ? ` ${label}` : ''}: ${decision}${probability === null ? '' : ` (${probability.toFixed(3)})`}${model ? `  ${model.name} ${model.version}` : ''}`;
  return [
    `post ${postId}`,
    ...labels.flatMap(({ revision, at, sequence, state, modalities, tasks }) => [
      `  revision ${revision}, ${new Date(at).toISOString()}, from ${modalities.join(' and ') || 'nothing'}, by ${state ? `state ${sequence} (${state.why})` : `the shipped models (state ${sequence})`}`,
      ...tasks.map(line),
    ]),
    `  today, from its text alone, by ${today.sequence === 0 ? 'the shipped models' : `state ${today.sequence}`}`,
    ...today.tasks.map(line),
    '',
  ].join('\n');
}
