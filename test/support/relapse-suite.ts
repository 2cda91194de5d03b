/**
 * A model that the gate accepted and that is worse than the champion on what comes then: the gate takes it back by itself, once from
 * the canary, because its answers differ, and once after a person let it serve, because people contradict it. Real processes, a
 * real retraining, nothing injected.
 */
import { createCodec } from '../../src/bus/codec.ts';
import { message, NO_LINEAGE } from '../../src/bus/messages.ts';
import type { Bus } from '../../src/bus/port.ts';
import { TOPICS } from '../../src/bus/topics.ts';
import type { Label, Ruling } from '../../src/event/records.ts';
import { loadArtefact } from '../../src/models/artefact.ts';
import { CHAMPION_DIR } from '../../src/registry/champions.ts';
import { type Rounds, roundsUntilAccepted } from './chain-suite.ts';
import {
  COLLECTION,
  type ModelStream,
  openModelStream,
  type StreamFigures,
  said,
  scoreIn,
  TASK,
  versionIn,
} from './model-stream.ts';
import { busFlags, prepare, startService } from './pipeline.ts';
import { eventually, type Running, tocsinOk } from './tocsin.ts';

export interface RelapsePlan extends Rounds {
  /** Folder or file of labelled posts that only the gate reads. */
  readonly vault: string;
  /** Text of the stream's n-th post, until something new happens. */
  readonly everyday: (n: number) => string;
  /** News of it, on which champion and candidate surely differ; the champion is right. */
  readonly outbreak: (n: number) => string;
  /** Posts a second. */
  readonly rate: number;
  readonly told: (line: string) => void;
}

export interface RelapseFigures extends StreamFigures {
  /** From the gate's decision until the old version answers on every partition. */
  readonly backSeconds: Readonly<Record<'canary' | 'promoted', number>>;
}

const codec = createCodec();
const SHADOW_EVENTS = 60;
/** Longer than the test: what ends the canary is not the clock. */
const CANARY_MS = 120_000;
/** Posts that people rule on: of four in five the model says the contrary, and with so many that is never chance. */
const RULED = 60;

export async function runRelapse(plan: RelapsePlan): Promise<RelapseFigures> {
  const { target, told } = plan;
  const flags = [...busFlags(target), '--log', 'error'];
  const champion = (await loadArtefact(CHAMPION_DIR)).manifest.version;
  const services: Running[] = [];
  let stream: ModelStream | null = null;
  await prepare(target);
  try {
    const start = async (name: string, env: Readonly<Record<string, string>> = {}): Promise<unknown> =>
      services.push(await startService(target, name, env));
    await Promise.all([
      start('label', { TOCSIN_SHADOW_SHARE: '1' }),
      start('claims'),
      start('gate', {
        TOCSIN_VAULT: plan.vault,
        TOCSIN_SHADOW_EVENTS: String(SHADOW_EVENTS),
        TOCSIN_CANARY_MS: String(CANARY_MS),
      }),
    ]);
    const accepted = (await roundsUntilAccepted(plan, told)).at(-1);
    if (!accepted?.passed) throw new Error(`no round was accepted: ${JSON.stringify(accepted)}`);
    const { version } = accepted;

    let isOutbreak = false;
    const text = (n: number): string => (isOutbreak ? plan.outbreak : plan.everyday)(n);
    stream = await openModelStream(target, { champion, rate: plan.rate, text });
    const { bus, seen, states, newest, everywhere } = stream;
    const announced = (what: string): Promise<number> =>
      eventually(what, () => states.find((state) => said(state) === what)?.issuedAt, { everyMs: 20 });
    /** Until the champion is back everywhere, from the decision. */
    const back = async (since: number): Promise<number> => {
      await everywhere(champion);
      const seconds = (Date.now() - since) / 1_000;
      told(`back everywhere after ${seconds} s: ${states.at(-1)?.why}`);
      return seconds;
    };
    await eventually('the canary answers', () => newest(({ label }) => versionIn(label) === version));
    isOutbreak = true;
    const canary = await back(await announced('withdraw'));

    await tocsinOk([
      'models',
      'promote',
      TASK,
      version,
      '--reason',
      'only that kind',
      '--by',
      'ada',
      ...flags,
    ]);
    await everywhere(version);
    const { sequence } = states.at(-1) ?? { sequence: 0 };
    const answered = await eventually(`${RULED} posts to rule on`, () => {
      const own = seen.filter(({ label }) => label.modelSequence === sequence && isSure(label));
      return own.length >= RULED && own.slice(0, RULED).map(({ label }) => label.postId);
    });
    await rule(bus, answered);
    const promoted = await back(await announced('rollback'));

    const faults = await whatIsTold(flags, version);
    const figures = await stream.end();
    return { ...figures, faults: [...faults, ...figures.faults], backSeconds: { canary, promoted } };
  } finally {
    for (const service of services) service.child.kill('SIGKILL');
    await stream?.close();
  }
}

const isSure = (label: Label): boolean => scoreIn(label)?.decision !== 'unsure';

/** People say of each post that it is informative, as the page says it for them. All posts of an outbreak are. */
async function rule(bus: Bus, postIds: readonly string[]): Promise<void> {
  const now = Date.now();
  const records = postIds.map(
    (postId): Ruling => ({
      kind: 'Ruling',
      id: `ruling-on-${postId}`,
      collection: COLLECTION,
      postId,
      claimId: null,
      task: TASK,
      ruling: 'informative',
      by: 'grace',
      at: now,
      undoes: null,
    }),
  );
  await bus.produce(
    records.map((record) =>
      message(codec, TOPICS.evidence, record, {
        key: record.collection,
        id: record.id,
        source: 'test',
        time: now,
        lineage: NO_LINEAGE,
      }),
    ),
  );
}

/** What `tocsin models` tells of it afterwards, and what is wrong with that. */
async function whatIsTold(flags: readonly string[], version: string): Promise<string[]> {
  const told = (await tocsinOk(['models', 'history', ...flags]))
    .split('\n')
    .filter((line) => / state \d+: (withdraw|promote|rollback) /.test(line))
    .map((line) => line.replace(/^\S+ +/, ''));
  const expected = [
    /^gate +state 3: withdraw informative: On the canary (its answers differ|it is unsure)/,
    /^ada +state 4: promote informative: only that kind/,
    new RegExp(
      `^gate +state 5: rollback informative: People contradict \\d+ of .* So ${version} does not stay`,
    ),
  ];
  const asExpected =
    told.length === expected.length && expected.every((pattern, i) => pattern.test(told[i] ?? ''));
  const verified = await tocsinOk(['models', 'verify', ...flags]);
  return [
    ...(asExpected ? [] : [`history says ${told.join(' | ')}`]),
    ...(verified.includes('0 breaks') ? [] : [`verify says ${verified}`]),
  ];
}
