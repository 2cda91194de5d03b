/**
 * The gate's judgement (robustness.md §9): a candidate beside the champion, on posts of the vault, by the very files that
 * serve. It changes nothing and decides nothing else; who signs and announces is the gate process.
 */
import type { Clock } from '../base/clock.ts';
import { asTocsinError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Artefact } from '../models/artefact.ts';
import type { OpenEncoder } from '../models/encoders/catalogued.ts';
import type { Tf } from '../models/engine/tf.ts';
import type { Dataset } from '../training/dataset.ts';
import { calibrationCheck } from './calibration.ts';
import { cleanChecks } from './clean.ts';
import { interleavedLatency, latencyCheck, type MeasureLatency, sizeCheck } from './cost.ts';
import { type MustPass, mustPassChecks } from './must-pass.ts';
import type { JudgeOptions } from './options.ts';
import { provenanceChecks } from './provenance.ts';
import { robustnessChecks } from './robustness.ts';
import { openServed, type Served } from './served.ts';
import { openSitting, unseenBy } from './sitting.ts';
import { triggerChecks } from './triggers.ts';
import type { Check, JudgedModel, Verdict } from './verdict.ts';

export interface Case {
  readonly candidate: Artefact;
  readonly champion: Artefact;
  /** The champion of five promotions ago: many small losses add up to a large one. Null while there is none. */
  readonly reference: Artefact | null;
  /** Labelled posts that no training sees, read for the models' task. */
  readonly vault: Dataset;
  readonly mustPass: MustPass | null;
  readonly options: JudgeOptions;
}

export interface JudgeDeps {
  readonly tf: Tf;
  readonly clock: Clock;
  readonly seed: number;
  readonly log: Log;
  readonly openEncoder: OpenEncoder;
  /** Measured in turns by the clock where left out. */
  readonly latency?: MeasureLatency;
}

/** Throws what opening the champion or the reference throws; a candidate that cannot be opened is refused. */
export async function judgeCandidate(given: Case, deps: JudgeDeps): Promise<Verdict> {
  const { candidate, champion, reference, vault, options } = given;
  const models = [candidate, champion, ...(reference ? [reference] : [])];
  const examples = unseenBy(vault, models);
  const verdict = (checks: readonly Check[]): Verdict => ({
    passed: checks.every(({ passed }) => passed),
    task: champion.manifest.task,
    purpose: options.purpose,
    candidate: refOf(candidate),
    champion: refOf(champion),
    reference: reference && refOf(reference),
    vault: {
      name: vault.name,
      sha256: vault.sha256,
      posts: examples.length,
      leftOut: vault.examples.length - examples.length,
    },
    seed: deps.seed,
    judgedAt: deps.clock.now(),
    checks: checks.map(rounded),
  });

  const before = [
    comparable(candidate, champion),
    vaultCheck(examples.length, options),
    sizeCheck(candidate, options),
    ...provenanceChecks(candidate.manifest, options),
  ];
  if (before.some(({ name, passed }) => !passed && (name === 'comparable' || name === 'vault')))
    return verdict(before);

  const opened: Served[] = [];
  try {
    const open = async (artefact: Artefact): Promise<Served> => {
      const served = await openServed(artefact, deps);
      opened.push(served);
      return served;
    };
    const served = {
      champion: await open(champion),
      reference: reference && (await open(reference)),
    };
    let mine: Served;
    try {
      mine = await open(candidate);
    } catch (thrown) {
      return verdict([...before, unopened(thrown)]);
    }
    const sitting = await openSitting(vault, examples, { ...served, candidate: mine }, options, deps.seed);
    const latency = deps.latency ?? interleavedLatency(deps.clock);
    return verdict([
      ...before,
      ...cleanChecks(sitting),
      calibrationCheck(sitting),
      ...(given.mustPass ? await mustPassChecks(given.mustPass, mine, served.champion, options) : []),
      ...(await robustnessChecks(deps.tf, sitting)),
      ...(await triggerChecks(sitting)),
      latencyCheck(await latency(mine, served.champion, examples), options),
    ]);
  } finally {
    for (const served of opened) await served.close();
  }
}

const refOf = ({ manifest, digest }: Artefact): JudgedModel => ({
  name: manifest.name,
  version: manifest.version,
  digest,
});

/** A model of another task, with other classes, or one that lost a modality, is no successor. */
function comparable({ manifest: mine }: Artefact, { manifest: its }: Artefact): Check {
  const namesOf = ({ classes = [] }: typeof mine): string => classes.map(({ name }) => name).join(', ');
  const lost = (['text', 'image'] as const).filter(
    (modality) => its.modalities[modality] === 'trained' && mine.modalities[modality] !== 'trained',
  );
  const wrong = [
    ...(mine.task === its.task ? [] : [`it answers ${mine.task}, not ${its.task}`]),
    ...(namesOf(mine) === namesOf(its) ? [] : ['its classes are others']),
    ...(lost.length === 0 ? [] : [`it does not read ${lost.join(' and ')} any more`]),
  ];
  return {
    name: 'comparable',
    passed: wrong.length === 0,
    value: null,
    limit: null,
    why: wrong.length === 0 ? 'it answers the same question as the champion.' : `${wrong.join('; ')}.`,
  };
}

function vaultCheck(posts: number, { leastPosts }: JudgeOptions): Check {
  return {
    name: 'vault',
    passed: posts >= leastPosts,
    value: posts,
    limit: leastPosts,
    why: `${posts} posts of the vault are in no model's training; at least ${leastPosts} must judge.`,
  };
}

function unopened(thrown: unknown): Check {
  const { message } = asTocsinError(thrown, 'Opening the candidate');
  return { name: 'opens', passed: false, value: null, limit: null, why: message };
}

/** Five decimals, as in every other report. */
const rounded = (check: Check): Check => ({
  ...check,
  value: check.value === null ? null : Math.round(check.value * 1e5) / 1e5,
});
