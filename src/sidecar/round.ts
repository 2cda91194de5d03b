/** One round: plan, craft against the champion, retrain, hand the candidate over. Each step is done once, whatever dies. */
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Codec } from '../bus/codec.ts';
import type { Bus } from '../bus/port.ts';
import { failPoint } from '../config/fail-point.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Artefact } from '../models/artefact.ts';
import type { Tf } from '../models/engine/tf.ts';
import { sigmoid } from '../training/measure.ts';
import type { TrainingOptions } from '../training/train.ts';
import { type Candidate, writeCandidate } from './candidate.ts';
import { type Engine, engineFor, openChampion, refOf, spaceOf } from './champion.ts';
import { type CraftedRow, craft } from './craft.ts';
import { QUARANTINE } from './hygiene.ts';
import { makePlan } from './make-plan.ts';
import type { Pause } from './pause.ts';
import { openRoundFolder, type RoundPlan } from './plan.ts';
import { postsOf } from './posts.ts';
import { retrain } from './retrain.ts';
import type { HumanSample } from './samples.ts';
import type { RoundReason } from './schedule.ts';
import type { Seeds } from './seeds.ts';

export interface RoundDeps {
  readonly tf: Tf;
  readonly bus: Pick<Bus, 'produce'>;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly pause: Pause;
  /** The sidecar's folder of the task. */
  readonly dir: string;
  /** candidates/TASK of the registry. */
  readonly candidates: string;
  readonly champion: () => Promise<Artefact>;
  readonly seeds: (champion: Artefact) => Promise<Seeds>;
  readonly samples: () => readonly HumanSample[];
  /** Posts of a round. */
  readonly posts: number;
  readonly training: Omit<TrainingOptions, 'seed'>;
  readonly codeVersion: string;
}

export interface RoundResult {
  /** Null where the round's own decision on dev was against it: the gate is not asked. */
  readonly candidate: Candidate | null;
  /** Why nothing was handed over; else null. */
  readonly withheld: string | null;
  readonly round: string;
  readonly reason: RoundReason;
  /** Posts that were attacked, and those that were replayed as they are. */
  readonly train: number;
  readonly replayed: number;
  readonly crafted: number;
  readonly seconds: number;
}

/** Goes on with the round that a kill has interrupted, where the champion is still the one that it attacked. */
export async function runRound(deps: RoundDeps, reason: RoundReason): Promise<RoundResult> {
  const { clock, log, metrics } = deps;
  const began = clock.monotonic();
  const folder = openRoundFolder(deps.dir);
  const artefact = await deps.champion();
  const engine = engineFor(deps.tf, artefact);
  const left = await folder.plan();
  const plan = left?.parent === artefact.digest ? left : await begin(deps, engine, artefact, reason);
  log.info({ round: plan.round, reason: plan.reason, posts: plan.train.length }, 'A round begins.');

  const encode = (text: string): Int32Array => engine.vocabulary.encode(text);
  const posts = postsOf(plan.train, encode);
  const space = spaceOf(engine, [posts, postsOf(plan.dev, encode)]);
  const crafted = await craftAll(deps, engine, plan, artefact, posts, space);
  const report = (epoch: { readonly epoch: number }): void => log.info({ ...epoch }, 'An epoch is done.');
  const round = { ...engine, ...deps, dir: folder.dir, report };
  const retrained = await retrain(round, plan, artefact, space, crafted);
  const withheld = retrained.weighing.refused;
  let candidate: Candidate | null = null;
  try {
    await deps.pause();
    if (withheld === null)
      candidate = await writeCandidate(engine, plan, retrained, {
        dir: deps.candidates,
        codeVersion: deps.codeVersion,
      });
  } finally {
    retrained.opened.network.dispose();
  }
  failPoint('sidecar.end');
  await folder.end({ done: plan.number, at: clock.now(), samples: plan.samples });
  const seconds = (clock.monotonic() - began) / 1_000;
  metrics.count('tocsin_sidecar_rounds_total', { reason: plan.reason });
  metrics.set('tocsin_sidecar_round_seconds', seconds);
  metrics.count('tocsin_sidecar_candidates_total', { outcome: candidate ? 'handed_over' : 'withheld' });
  const { weighing, robustness } = retrained;
  const told = withheld ? { withheld, steps: weighing.steps } : { version: candidate?.version };
  log.info(
    { round: plan.round, ...told, share: weighing.share, robustness, seconds },
    candidate ? 'A candidate is handed over.' : 'The round made nothing for the gate.',
  );
  return {
    candidate,
    withheld,
    round: plan.round,
    reason: plan.reason,
    train: plan.train.length,
    replayed: plan.replay.length,
    crafted: crafted.length,
    seconds,
  };
}

async function begin(
  deps: RoundDeps,
  engine: Engine,
  artefact: Artefact,
  reason: RoundReason,
): Promise<RoundPlan> {
  const folder = openRoundFolder(deps.dir);
  const number = ((await folder.rounds())?.done ?? 0) + 1;
  const { plan, sorted } = makePlan(engine, artefact, await deps.seeds(artefact), deps.samples(), {
    number,
    reason,
    seed: number,
    startedAt: deps.clock.now(),
    posts: deps.posts,
    parent: artefact.digest,
  });
  deps.metrics.set('tocsin_sidecar_samples', sorted.admitted.length, { state: 'admitted' });
  for (const reason of QUARANTINE) {
    const { length } = sorted.quarantined.filter((sample) => sample.reason === reason);
    deps.metrics.set('tocsin_sidecar_samples', length, { state: reason });
  }
  await folder.begin(plan);
  failPoint('sidecar.plan');
  return plan;
}

async function craftAll(
  deps: RoundDeps,
  engine: Engine,
  plan: RoundPlan,
  artefact: Artefact,
  posts: ReturnType<typeof postsOf>,
  space: ReturnType<typeof spaceOf>,
): Promise<CraftedRow[]> {
  const { network, victim } = openChampion(engine, artefact, space);
  const { scale, bias } = artefact.manifest.calibration.text ?? { scale: 1, bias: 0 };
  try {
    return await craft(
      {
        ...deps,
        tf: engine.tf,
        victim,
        model: refOf(artefact),
        probabilities: (some) => Array.from(victim.logits(some), (z) => sigmoid(scale * z + bias)),
        vocabulary: engine.vocabulary,
        dir: join(deps.dir, 'round'),
      },
      plan,
      posts,
    );
  } finally {
    network.dispose();
  }
}
