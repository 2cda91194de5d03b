/**
 * The whole way of a model, with the real processes and a real retraining: sidecar, gate with a vault, shadow, canary, all, and back,
 * under a stream of posts. Nothing in it is injected; the gate is killed (SIGKILL) while the canary runs.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import { loadArtefact } from '../../src/models/artefact.ts';
import { CHAMPION_DIR } from '../../src/registry/champions.ts';
import { openRoundFolder } from '../../src/sidecar/plan.ts';
import {
  type ModelStream,
  openModelStream,
  type Seen,
  type StreamFigures,
  said,
  scoreIn,
  TASK,
  versionIn,
} from './model-stream.ts';
import { busFlags, prepare, startService, type Target } from './pipeline.ts';
import { eventually, type Running, tocsin, tocsinOk } from './tocsin.ts';

/** Rounds of the sidecar before the gate. */
export interface Rounds {
  readonly target: Target;
  /** Settings of the sidecar: what it trains on, how many posts. */
  readonly sidecar: Readonly<Record<string, string>>;
  /** Most rounds; the first candidate that the gate accepts is the last. */
  readonly rounds: number;
  /** Number, and so the seed, of the first one. */
  readonly first?: number;
}

export interface ChainPlan extends Rounds {
  /** Folder or file of labelled posts that only the gate reads. */
  readonly vault: string;
  /** Text of the stream's n-th post. */
  readonly text: (n: number) => string;
  /** Posts a second. */
  readonly rate: number;
  readonly shadowEvents: number;
  readonly canaryMs: number;
  readonly told?: (line: string) => void;
}

export interface Verdict {
  readonly version: string;
  readonly passed: boolean;
  readonly why: string;
  /** What the gate measured of the candidate, check by check. */
  readonly checks: readonly { readonly name: string; readonly passed: boolean; readonly why: string }[];
}

export interface ChainFigures extends StreamFigures {
  /** Of each round, in order; null where the sidecar handed nothing over. */
  readonly verdicts: readonly (Verdict | null)[];
  /** Versions: before, and the accepted one. */
  readonly champion: string;
  readonly candidate: string;
  /** Seconds from the start of the round to each step. */
  readonly seconds: Readonly<Record<string, number>>;
  /** What the states say, oldest first. */
  readonly states: readonly string[];
}

/** Checks that say what a round has won and lost. */
const TOLD: readonly string[] = ['clean-macro-f1', 'robust-unseen'];

/** Throws where no round's candidate is accepted. */
export async function runChain(plan: ChainPlan): Promise<ChainFigures> {
  const { target, told = () => {} } = plan;
  const flags = [...busFlags(target), '--log', 'error'];
  const champion = (await loadArtefact(CHAMPION_DIR)).manifest.version;
  const services: Running[] = [];
  const start = async (name: string, env: Readonly<Record<string, string>>): Promise<Running> => {
    const running = await startService(target, name, env);
    services.push(running);
    return running;
  };
  await prepare(target);
  let stream: ModelStream | null = null;
  try {
    const gateEnv = {
      TOCSIN_VAULT: plan.vault,
      TOCSIN_SHADOW_EVENTS: String(plan.shadowEvents),
      TOCSIN_CANARY_MS: String(plan.canaryMs),
    };
    await start('label', { TOCSIN_SHADOW_SHARE: '1' });
    let gate = await start('gate', gateEnv);
    stream = await openModelStream(target, { champion, rate: plan.rate, text: plan.text });
    const { seen, states, newest, everywhere } = stream;

    const began = performance.now();
    const seconds: Record<string, number> = {};
    const reached = (step: string): void => {
      seconds[step] = Math.round((performance.now() - began) / 100) / 10;
      told(`${step} after ${seconds[step]} s`);
    };
    const verdicts = await roundsUntilAccepted(plan, told);
    const accepted = verdicts.at(-1);
    if (!accepted?.passed) throw new Error(`no round was accepted: ${JSON.stringify(verdicts)}`);
    const { version } = accepted;
    reached('accepted');

    await eventually('the shadow', () => newest(({ label }) => Boolean(scoreIn(label)?.challenger)));
    reached('shadow');
    await eventually('the canary', () => newest(({ label }) => versionIn(label) === version), {
      timeoutMs: 120_000,
    });
    reached('canary');
    await gate.kill('SIGKILL');
    gate = await start('gate', gateEnv);
    reached('the gate is back');
    await everywhere(version, plan.canaryMs + 60_000);
    reached('all');

    const faults = [
      ...(await whatPeopleSee(flags, { seen, version, champion })),
      ...(states.map(said).join(' → ') === 'shadow → canary → promote'
        ? []
        : [`states: ${states.map(said)}`]),
    ];
    const asked = performance.now();
    const reason = ['--reason', 'the chain is shown', '--by', 'ada'];
    const { code } = await tocsin(['models', 'rollback', TASK, ...reason, ...flags]);
    if (code !== 0) faults.push(`rollback ended with ${code}`);
    await everywhere(champion);
    seconds['rollback'] = Math.round((performance.now() - asked) / 100) / 10;
    const verified = await tocsinOk(['models', 'verify', ...flags]);
    if (!verified.includes('0 breaks')) faults.push(`verify says ${verified}`);

    const figures = await stream.end();
    return {
      ...figures,
      verdicts,
      champion,
      candidate: version,
      seconds,
      states: states.map((state) => `${state.sequence} ${state.why}`),
      faults: [...faults, ...figures.faults],
    };
  } finally {
    for (const service of services) service.child.kill('SIGKILL');
    await stream?.close();
  }
}

/** Rounds of the sidecar and what the gate says of each, until it accepts one. */
export async function roundsUntilAccepted(
  { target, sidecar, rounds, first = 1 }: Rounds,
  told: (line: string) => void,
): Promise<(Verdict | null)[]> {
  const verdicts: (Verdict | null)[] = [];
  const own = openRoundFolder(join(target.dataDir, 'sidecar', TASK));
  await own.end({ done: first - 1, at: systemClock.now(), samples: 0 });
  const dir = join(target.dataDir, 'registry', 'verdicts', TASK);
  while (verdicts.length < rounds && !verdicts.at(-1)?.passed) {
    const out = await tocsinOk(['sidecar', '--once', ...busFlags(target)], sidecar);
    const { candidate, withheld } = JSON.parse(out) as {
      readonly candidate: { readonly version: string } | null;
      readonly withheld: string | null;
    };
    told(`round ${first + verdicts.length}: ${candidate?.version ?? withheld}`);
    const file = candidate && `${candidate.version}.json`;
    const verdict =
      file &&
      (await eventually(
        `the verdict on ${file}`,
        () =>
          readdirSync(dir).includes(file) && (JSON.parse(readFileSync(join(dir, file), 'utf8')) as Verdict),
        { timeoutMs: 600_000 },
      ));
    if (verdict) {
      told(`${verdict.version} ${verdict.passed ? 'accepted' : `refused: ${verdict.why}`}`);
      for (const { name, why } of verdict.checks) if (TOLD.includes(name)) told(`  ${name}: ${why}`);
    }
    verdicts.push(verdict || null);
  }
  return verdicts;
}

/** What `tocsin models` tells of it, and what is wrong with that. */
async function whatPeopleSee(
  flags: readonly string[],
  {
    seen,
    version,
    champion,
  }: { readonly seen: readonly Seen[]; readonly version: string; readonly champion: string },
): Promise<string[]> {
  const json = async (...args: string[]): Promise<unknown[]> =>
    (await tocsinOk(['models', ...args, '--output', 'json', ...flags]))
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
  type Scores = readonly { readonly task: string; readonly model: { readonly version: string } }[];
  const of = (scores: Scores = []): string | undefined =>
    scores.find(({ task }) => task === TASK)?.model.version;
  const roles = async (): Promise<string[]> => {
    const rows = (await json('list')) as { task: string; version: string; role: string | null }[];
    const own = rows.filter(({ task }) => task === TASK).map((row) => `${row.version} ${row.role}`);
    const wanted = [`${champion} previous`, `${version} champion`];
    return own.sort().join() === wanted.sort().join() ? [] : [`list says ${own.join()}`];
  };
  const why = async (id: string, by: string): Promise<string[]> => {
    const [told] = (await json('why', id)) as { labels: { tasks: Scores }[]; today: { tasks: Scores } }[];
    const [then, today] = [of(told?.labels[0]?.tasks), of(told?.today.tasks)];
    return then === by && today === version ? [] : [`why ${id} says ${then}, today ${today}`];
  };
  const history = async (): Promise<string[]> => {
    const told = JSON.stringify(await json('history'));
    return [`accepted: candidate ${TASK} ${version}`, 'shadow', 'canary', 'promote'].flatMap((what) =>
      told.includes(what) ? [] : [`history does not tell of ${what}`],
    );
  };
  const post = seen.findLast(({ label }) => versionIn(label) === version)?.label.postId ?? '';
  const old = seen.find(({ label }) => label.modelSequence === 0)?.label.postId ?? '';
  return (await Promise.all([roles(), why(post, version), why(old, champion), history()])).flat();
}
