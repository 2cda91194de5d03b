/**
 * Keeps the models of a worker at what the gate wants (architecture §7): reads crisis.models.v1 to its end, follows it, and puts
 * a new state into force between two slices. Whatever goes wrong with a state, the models before it go on, and it is said.
 */
import type { Clock } from '../base/clock.ts';
import { asTocsinError, ERROR_CODES, TocsinError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Codec } from '../bus/codec.ts';
import type { Bus, ReceivedRecord } from '../bus/port.ts';
import { TOPICS } from '../bus/topics.ts';
import type { DesiredState } from '../event/records.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { type Closable, createHandle, type Lease } from '../models/serving/handle.ts';
import type { LineUp, LineUps, Models } from '../models/serving/line-up.ts';
import { deadLetterMessage } from '../pipeline/dead-letter.ts';
import { type Arrived, readDesired } from './desired-state.ts';
import type { TrustedKeys } from './verify.ts';

/** A partition waits so long for a sequence that another worker has served it with. */
const FENCE_WAIT_MS = 10_000;
/** The topic is read again after an error of the bus. */
const RETRY_MS = 1_000;

export interface InForceDeps<M extends Models> {
  readonly bus: Bus;
  readonly codec: Codec;
  readonly keys: TrustedKeys;
  readonly environment: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Who serves; on metrics and dead letters. */
  readonly service: string;
  readonly lineUps: LineUps<M>;
}

export interface InForce<M extends Models> extends Closable {
  /** The models of one slice; they stay open until it is given back. */
  lease(): Lease<LineUp<M>>;
  /**
   * Resolves when this sequence or a higher one is in force: what was once served with it is never scored below it. Throws
   * MODELS_BEHIND when it does not come in time.
   */
  reach(sequence: number): Promise<void>;
  /**
   * Resolves when every state that was on the topic at the call is in force or refused, for workers that keep no state.
   * Throws MODELS_BEHIND when it takes too long.
   */
  catchUp(): Promise<void>;
  /** Settles when the worker must end: null after `close`, else why its models are not fit to serve. */
  readonly ended: Promise<Error | null>;
}

/** The newest state that can be opened, or the first models; throws only when not even those can. */
export async function openInForce<M extends Models>(deps: InForceDeps<M>): Promise<InForce<M>> {
  const { bus, codec, clock, log, metrics, service, lineUps } = deps;
  const stop = new AbortController();
  let changed = new AbortController();
  let settleEnded: (error: Error | null) => void = () => {};
  const ended = new Promise<Error | null>((resolve) => {
    settleEnded = resolve;
  });

  const tell = (): void => {
    const before = changed;
    changed = new AbortController();
    before.abort();
  };
  const count = (error: TocsinError): void =>
    metrics.count('tocsin_model_refusals_total', { service, reason: error.code });

  const refuse = (error: TocsinError, record: ReceivedRecord, sequence: number | null): void => {
    log.error(
      { code: error.code, sequence, offset: String(record.offset), error: error.message },
      'A desired state was refused; the models before it go on.',
    );
    count(error);
    const detail = `${error.code}: ${error.message}`;
    void bus
      .produce([deadLetterMessage(codec, service, record, 'refused_state', detail)])
      .then(() => metrics.count('tocsin_dlq_events_total', { service, reason: 'refused_state' }))
      .catch((thrown: Error) => log.warn({ error: thrown.message }, 'A dead letter could not be written.'));
  };

  const open = async (state: DesiredState): Promise<LineUp<M>> => {
    const since = clock.monotonic();
    const lineUp = await lineUps.make(state);
    const seconds = (clock.monotonic() - since) / 1_000;
    metrics.observe('tocsin_model_swap_duration_seconds', seconds, { service, step: 'open' });
    return lineUp;
  };

  /**
   * The newest state whose models serve. One whose models are gone or torn is passed over: where it was in force, the
   * partitions know and are not served below it.
   */
  const openNewest = async (history: readonly DesiredState[]): Promise<LineUp<M>> => {
    for (const state of [...history].reverse())
      try {
        return await open(state);
      } catch (thrown) {
        const error = asTocsinError(thrown, `opening the models of desired state ${state.sequence}`);
        log.error(
          { code: error.code, sequence: state.sequence, error: error.message },
          'The models of a desired state cannot serve; an older state is tried.',
        );
        count(error);
      }
    return lineUps.make(null);
  };

  for (const reason of ERROR_CODES.filter((code) => /^(STATE|MODELS?)_/.test(code)))
    metrics.count('tocsin_model_refusals_total', { service, reason }, 0);
  metrics.count('tocsin_model_swaps_total', { service }, 0);
  let isFollowing = false;
  /** Offset behind the last message that is in force or refused. */
  let upto = 0n;
  const doneWith = (record: ReceivedRecord): void => {
    upto = record.offset + 1n;
    tell();
  };
  const desired = await readDesired({
    bus,
    codec,
    keys: deps.keys,
    environment: deps.environment,
    now: () => clock.now(),
    refused: (error, record) => {
      // What lay there at the start was told of when it came.
      if (!isFollowing) return log.info({ code: error.code }, 'An old desired state is not valid.');
      refuse(error, record, null);
      doneWith(record);
    },
  });
  upto = desired.end;
  const handle = createHandle(await openNewest(desired.history));
  isFollowing = true;
  const sequence = (): number => handle.current().sequence;
  metrics.set('tocsin_model_sequence', sequence(), { service });
  log.info({ sequence: sequence() }, 'Models are in force.');

  const draining = new Set<Promise<void>>();
  const activate = async ({ state, record }: Arrived): Promise<void> => {
    let next: LineUp<M>;
    try {
      next = await open(state);
    } catch (thrown) {
      const error = asTocsinError(thrown, `opening the models of desired state ${state.sequence}`);
      return refuse(error, record, state.sequence);
    }
    const before = sequence();
    const since = clock.monotonic();
    const drained: Promise<void> = handle
      .swap(next)
      .catch((thrown: Error) => log.warn({ error: thrown.message }, 'Old models could not be closed.'))
      .then(() => {
        draining.delete(drained);
        const seconds = (clock.monotonic() - since) / 1_000;
        metrics.observe('tocsin_model_swap_duration_seconds', seconds, { service, step: 'drain' });
      });
    draining.add(drained);
    metrics.set('tocsin_model_sequence', next.sequence, { service });
    metrics.count('tocsin_model_swaps_total', { service });
    log.info({ sequence: next.sequence, before, why: state.why }, 'Other models are in force.');
  };

  const follow = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      try {
        for await (const arrived of desired.follow(stop.signal)) {
          await activate(arrived);
          doneWith(arrived.record);
        }
      } catch (thrown) {
        const error = asTocsinError(thrown, `following ${TOPICS.models}`);
        if (stop.signal.aborted || error.code === 'BUS_CLOSED') return;
        log.warn(
          { code: error.code, error: error.message },
          'The desired state cannot be followed; trying again.',
        );
      }
      await clock.sleep(RETRY_MS, stop.signal);
    }
  };
  const following = follow();

  const waitFor = async (what: string, isThere: () => boolean): Promise<void> => {
    const deadline = clock.monotonic() + FENCE_WAIT_MS;
    while (!isThere()) {
      const left = deadline - clock.monotonic();
      if (left <= 0 || stop.signal.aborted) {
        const error = new TocsinError(
          'MODELS_BEHIND',
          `Waiting for ${what}: sequence ${sequence()} is in force.`,
        );
        if (!stop.signal.aborted) {
          log.error({ sequence: sequence(), error: error.message }, 'The models are behind.');
          count(error);
          settleEnded(error);
        }
        throw error;
      }
      await clock.sleep(left, changed.signal);
    }
  };

  return {
    lease: () => handle.lease(),
    reach: (wanted) => waitFor(`desired state ${wanted}`, () => sequence() >= wanted),
    async catchUp() {
      let last = -1n;
      for await (const batch of bus.read(TOPICS.models, { from: 'earliest', stopAtEnd: true }))
        for (const record of batch) last = record.offset;
      await waitFor(`the end of ${TOPICS.models}`, () => upto > last);
    },
    ended,
    async close() {
      stop.abort();
      tell();
      await following;
      await Promise.all(draining);
      await handle.close();
      settleEnded(null);
    },
  };
}
