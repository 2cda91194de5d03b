/** The label worker put together: stages, scorer and memory settings over any bus. */
import { join } from 'node:path';
import { isAlive } from '../base/alive.ts';
import type { Clock } from '../base/clock.ts';
import { TocsinError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Codec } from '../bus/codec.ts';
import type { Bus, Consumer, Consumption } from '../bus/port.ts';
import { loadTopics, TOPICS } from '../bus/topics.ts';
import type { Settings } from '../config/settings.ts';
import { createEmbedStage, type Vocabularies } from '../embed/stage.ts';
import { requestMessage } from '../emit/messages.ts';
import { createEmitStage } from '../emit/stage.ts';
import { createDecodeStage } from '../ingest/decode.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { LabelTasks } from '../models/serving/label-openers.ts';
import type { Languages } from '../normalise/languages.ts';
import { createNormaliseStage } from '../normalise/stage.ts';
import { NORMALISER_VERSION } from '../normalise/text.ts';
import { openCrashGuard } from '../pipeline/crash-guard.ts';
import { deadLetterMessage, startDeadLetterCounts } from '../pipeline/dead-letter.ts';
import { fenceOf } from '../pipeline/fence.ts';
import { createLabelTask, type LabelStages } from '../pipeline/label-task.ts';
import { LABEL_SERVICE, type LedgerRow } from '../pipeline/ledger.ts';
import type { InForce } from '../registry/in-force.ts';
import { createScoreStage } from '../score/stage.ts';

/** Ids that a partition remembers at most: 2 h of 140 posts/s on one partition, about 50 MB. */
const MAX_DEDUP_IDS = 1_000_000;
const MAX_JOIN_ENTRIES = 50_000;
const MAX_JOIN_PICTURES = 256;
const MAX_PENDING = 100_000;
/** Partitions at work at once: while threads tell languages and score, the main thread prepares other slices. */
const CONCURRENCY = 3;
const DAY_MS = 86_400_000;

/** The models that the label worker serves with: what it needs of `InForce`. */
export type LabelModels = Pick<InForce<LabelTasks>, 'lease' | 'reach'>;

export type WorkerSettings = Pick<
  Settings,
  'dataDir' | 'environment' | 'sliceRecords' | 'sliceMs' | 'dedupWindowMs' | 'joinWindowMs' | 'shadowShare'
>;

export interface LabelWorkerDeps {
  readonly bus: Bus;
  readonly codec: Codec;
  readonly settings: WorkerSettings;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly models: LabelModels;
  readonly words: Vocabularies;
  readonly languages: Languages;
  /** `keys.context` */
  readonly key: Uint8Array;
}

type LabelStagesDeps = Pick<LabelWorkerDeps, 'codec' | 'models' | 'words' | 'languages' | 'metrics'> & {
  readonly settings: Pick<Settings, 'shadowShare'>;
};

/** @param partitions of crisis.events.v1 */
export function createLabelStages(
  { codec, models, words, languages, metrics, settings }: LabelStagesDeps,
  partitions: number,
): LabelStages {
  return {
    decode: createDecodeStage(codec, partitions),
    normalise: createNormaliseStage(languages),
    embed: createEmbedStage(words),
    lease(partition) {
      const { value: lineUp, release } = models.lease();
      const informative = lineUp.on('informative', partition);
      const humanitarian = lineUp.on('humanitarian', partition);
      const hasShadow = informative.shadow !== null || humanitarian.shadow !== null;
      return {
        sequence: lineUp.sequence,
        score: createScoreStage(
          { informative: informative.answers, humanitarian: humanitarian.answers },
          lineUp.sequence,
          hasShadow
            ? {
                informative: informative.shadow,
                humanitarian: humanitarian.shadow,
                share: settings.shadowShare,
                metrics,
              }
            : null,
        ),
        release,
      };
    },
    emit: createEmitStage(codec, NORMALISER_VERSION),
    request: ({ request, lineage }) => requestMessage(codec, request, lineage),
    dead: (record, reason, detail) => deadLetterMessage(codec, LABEL_SERVICE, record, reason, detail),
  };
}

/** How the label worker consumes, for a topic of that many partitions. */
export function labelConsumption(deps: LabelWorkerDeps, partitions: number): Consumption {
  const { settings } = deps;
  const stages = createLabelStages(deps, partitions);
  const rows = new Map<number, LedgerRow>();
  const media = loadTopics().find((topic) => topic.name === TOPICS.media);
  return {
    group: LABEL_SERVICE,
    topic: TOPICS.events,
    mode: 'exactly-once',
    sliceRecords: settings.sliceRecords,
    sliceMs: settings.sliceMs,
    concurrency: CONCURRENCY,
    failed: (reason) => deps.metrics.count('tocsin_slice_failures_total', { service: LABEL_SERVICE, reason }),
    open: async ({ partition }, restored) => {
      // What another worker has served this partition with is read before it goes on here.
      await deps.models.reach(fenceOf(restored.entries));
      return createLabelTask(
        {
          ...deps,
          partition,
          stages,
          rows,
          environment: settings.environment,
          sliceRecords: settings.sliceRecords,
          guard: openCrashGuard({
            dir: join(settings.dataDir, 'run'),
            service: `${settings.environment}.${LABEL_SERVICE}`,
            partition,
            pid: process.pid,
            isAlive,
          }),
          dedup: { windowMs: settings.dedupWindowMs, maxIds: MAX_DEDUP_IDS },
          join: {
            windowMs: settings.joinWindowMs,
            maxEntries: MAX_JOIN_ENTRIES,
            maxPictures: MAX_JOIN_PICTURES,
          },
          pending: { maxAgeMs: (media?.retentionDays ?? 1) * DAY_MS, maxRequests: MAX_PENDING },
        },
        restored,
      );
    },
  };
}

/** Starts consuming. Throws UNKNOWN_TOPIC where crisis.events.v1 does not exist. */
export async function startLabelWorker(deps: LabelWorkerDeps): Promise<Consumer> {
  const partitions = (await deps.bus.admin.ranges(TOPICS.events)).length;
  if (partitions === 0) throw new TocsinError('UNKNOWN_TOPIC', `${TOPICS.events} does not exist`);
  startDeadLetterCounts(deps.metrics, LABEL_SERVICE);
  return deps.bus.consume(labelConsumption(deps, partitions));
}
