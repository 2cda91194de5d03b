/** The gate from outside: candidates and requests in, signed states and audit entries out. */
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DesiredState } from '../../../../src/event/records.ts';
import { openVersion, versionOf } from '../../../../src/registry/open-version.ts';
import { label, scored } from '../../../support/dashboard.ts';
import { type GateScene, gateScene, passing } from '../../../support/gate-scene.ts';
import { until } from '../../../support/until.ts';

const task = (state: DesiredState | undefined) => state?.tasks[0];
const served = (scene: GateScene): unknown[] =>
  scene.states().map((state) => {
    const { champion, challenger, canary } = state.tasks[0] as DesiredState['tasks'][number];
    return [champion.version, challenger?.version ?? null, canary.length];
  });
const answers = async (scene: GateScene, n: number): Promise<string[]> => {
  const entries = async () => (await scene.audit()).filter(({ why }) => why.includes('[request '));
  await until(async () => (await entries()).length >= n, `${n} answers`);
  return (await entries()).map(({ what }) => what);
};

/** Labels of the state in force, `n` by each model, the challenger's on partition 0. */
async function labels(
  scene: GateScene,
  n: number,
  decisionOf: (isChallenger: boolean, i: number) => 'yes' | 'no' | 'unsure',
): Promise<void> {
  const state = scene.states().at(-1) as DesiredState;
  const { champion, challenger } = state.tasks[0] as DesiredState['tasks'][number];
  for (let i = 0; i < n; i += 1)
    for (const [partition, model] of [challenger, champion].entries())
      await scene.label(
        label(`p${partition}-${i}`, {
          modelSequence: state.sequence,
          receivedAt: scene.clock.now(),
          tasks: [
            {
              ...scored(0.9, decisionOf(partition === 0, i)),
              model: { name: model?.name ?? '', version: model?.version ?? '', sha256: '' },
            },
          ],
        }),
        partition,
      );
}

describe('a candidate that passes', () => {
  it('goes from the shadow to one partition to all, each step signed and audited', async () => {
    const scene = await gateScene();
    const candidate = await scene.candidate('c1');
    await scene.start();
    await scene.untilStates(1);
    await scene.pass(600_000);
    await scene.untilStates(2);
    await scene.pass(300_000);
    await scene.untilStates(3);
    expect(served(scene)).toEqual([
      ['shipped', 'c1', 0],
      ['shipped', 'c1', 1],
      ['c1', null, 0],
    ]);
    expect(scene.states().map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
    expect((await scene.audit()).map(({ what }) => what)).toEqual([
      'accepted: candidate informative c1',
      'state 1: shadow informative',
      'state 2: canary informative',
      'state 3: promote informative',
    ]);
    const { keys, paths } = scene.registry;
    for (const artefact of [candidate, scene.shipped[0] as typeof candidate])
      await openVersion(paths.models, 'informative', versionOf(artefact), keys);
  });

  it('waits until an hour after the promotion before', async () => {
    const scene = await gateScene();
    await scene.candidate('c1');
    await scene.start({ rules: { shadowMs: 0, canaryMs: 0, graceMs: 0 } });
    await scene.untilStates(3);
    await scene.candidate('c2');
    await until(async () => {
      await scene.pass(1_000);
      return (await scene.audit()).some(({ what }) => what.endsWith(' c2'));
    }, 'c2 is judged');
    await scene.pass(3_000_000);
    expect(scene.states()).toHaveLength(3);
    await scene.pass(700_000);
    await scene.untilStates(4);
    expect(task(scene.states()[3])?.challenger?.version).toBe('c2');
  });

  it('is judged again when the champion has changed since', async () => {
    const scene = await gateScene();
    const champions: string[] = [];
    const judge: typeof passing = async (given) => {
      champions.push(given.champion.split('/').at(-1) as string);
      return passing(given);
    };
    await scene.candidate('c1');
    await scene.candidate('c2');
    await scene.start({ judge, rules: { shadowMs: 0, canaryMs: 0, promotionIntervalMs: 0 } });
    await scene.untilStates(6);
    expect(champions).toEqual(['informative', 'informative', 'c1']);
    expect(task(scene.states()[5])?.champion.version).toBe('c2');
  });
});

describe('what alerts watch', () => {
  it('is how many candidates were refused in a row, and when a challenger came to its step', async () => {
    const scene = await gateScene();
    let passes = false;
    await scene.start({ judge: async () => ({ passed: passes, checks: [{ name: 'x', passed: passes }] }) });
    const since = 'tocsin_gate_step_timestamp_seconds{task="informative"}';
    for (const version of ['c1', 'c2']) {
      await scene.candidate(version);
      await until(async () => {
        await scene.pass(1_000);
        return (await scene.audit()).some(({ what }) => what.endsWith(` ${version}`));
      }, `${version} is judged`);
    }
    expect(await scene.metric('tocsin_gate_refused_in_row')).toEqual(['tocsin_gate_refused_in_row 2']);
    expect(await scene.metric('tocsin_promotions_total{action="rollback"}')).toEqual([
      'tocsin_promotions_total{action="rollback"} 0',
    ]);
    passes = true;
    await scene.candidate('c3');
    await scene.untilStates(1);
    expect(await scene.metric('tocsin_gate_refused_in_row')).toEqual(['tocsin_gate_refused_in_row 0']);
    expect(await scene.metric(since)).toEqual([`${since} ${(scene.states()[0]?.issuedAt ?? 0) / 1_000}`]);
    await scene.ask({ action: 'rollback' });
    await scene.untilStates(2);
    await until(async () => (await scene.metric(since))[0] === `${since} 0`, 'no challenger');
    expect(await scene.metric('tocsin_promotions_total{action="withdraw"}')).toEqual([
      'tocsin_promotions_total{action="withdraw"} 1',
    ]);
  });
});

describe('a candidate that does not pass', () => {
  it.each([
    [
      'the judge says no',
      async () => ({ passed: false, checks: [{ name: 'slices', passed: false, why: '−20 points' }] }),
      /slices \(−20 points\)/,
    ],
    [
      'the judge says yes of a failed check',
      async () => ({ passed: true, checks: [{ name: 'x', passed: false }] }),
      /^x$/,
    ],
    ['the judge dies', () => Promise.reject(new Error('killed by SIGSEGV')), /SIGSEGV/],
  ])('is refused with the reason when %s, and never named', async (_, judge, reason) => {
    const scene = await gateScene();
    await scene.candidate('c1');
    await scene.start({ judge });
    await until(async () => (await scene.audit()).length === 1, 'it is refused');
    expect((await scene.audit())[0]).toMatchObject({
      what: 'refused: candidate informative c1',
      why: expect.stringMatching(reason),
    });
    await scene.pass(10_000_000);
    await scene.ask({ action: 'promote', version: 'c1' });
    expect(await answers(scene, 1)).toEqual(['refused: promote informative c1']);
    expect(scene.states()).toEqual([]);
  });

  it('is refused when it is torn, and the gate goes on to the next', async () => {
    const scene = await gateScene();
    const torn = await scene.candidate('a-torn');
    await rm(join(torn.dir, 'text.onnx'));
    await writeFile(join(scene.registry.paths.candidates, 'informative', 'no-folder'), 'x');
    await scene.candidate('b-whole');
    await scene.start();
    await scene.untilStates(1);
    expect(task(scene.states()[0])?.challenger?.version).toBe('b-whole');
    expect((await scene.audit())[0]).toMatchObject({
      what: 'refused: candidate informative a-torn',
      why: expect.stringContaining('text.onnx'),
    });
  });

  it('waits without a vault, and people are served', async () => {
    const scene = await gateScene();
    await scene.candidate('c1');
    await scene.start({ judge: null });
    await scene.pass(5_000);
    await scene.ask({ action: 'pin' });
    expect(await answers(scene, 1)).toEqual(['state 1: pin informative']);
    expect(await scene.audit()).toHaveLength(1);
  });
});

describe('a challenger', () => {
  const begun = async (steps: number): Promise<GateScene> => {
    const scene = await gateScene();
    await scene.candidate('c1');
    await scene.start();
    await scene.untilStates(1);
    if (steps > 1) {
      await scene.pass(600_000);
      await scene.untilStates(2);
    }
    return scene;
  };

  it('is withdrawn when a partition goes on with an older state', async () => {
    const scene = await begun(1);
    await scene.pass(31_000);
    await scene.label(label('p', { modelSequence: 0 }), 3);
    await scene.untilStates(2);
    expect(served(scene)[1]).toEqual(['shipped', null, 0]);
    expect((await scene.audit()).at(-1)).toMatchObject({
      what: 'state 2: withdraw informative',
      why: expect.stringContaining('Partitions 3'),
    });
    await scene.pass(10_000_000);
    expect(scene.states()).toHaveLength(2); // and not tried again
  });

  it('is withdrawn when it disagrees with the champion in the shadow', async () => {
    const scene = await begun(1);
    const { challenger } = task(scene.states()[0]) as DesiredState['tasks'][number];
    for (let i = 0; i < 200; i += 1)
      await scene.label(
        label(`p${i}`, {
          modelSequence: 1,
          tasks: [
            {
              ...scored(0.9, 'yes'),
              challenger: {
                probability: i % 4 === 0 ? 0.1 : 0.9,
                model: { ...(challenger as { name: string; version: string }), sha256: '' },
              },
            },
          ],
        }),
        0,
      );
    await scene.untilStates(2);
    expect((await scene.audit()).at(-1)?.why).toContain('agrees with the champion on 75.0 %');
  });

  it.each([
    [
      'its answers differ',
      (mine: boolean, i: number) => (mine || i % 2 === 0 ? ('yes' as const) : ('no' as const)),
      'stability index',
    ],
    [
      'it is unsure more often',
      (mine: boolean, i: number) => (mine && i % 5 === 0 ? ('unsure' as const) : ('yes' as const)),
      'unsure 20.0 %',
    ],
  ])('is withdrawn from the canary when %s', async (_, decisionOf, why) => {
    const scene = await begun(2);
    await labels(scene, 200, decisionOf);
    await scene.untilStates(3);
    expect(served(scene)[2]).toEqual(['shipped', null, 0]);
    expect((await scene.audit()).at(-1)?.why).toContain(why);
  });

  it('stays when its labels are like the champion’s, and a promoted one is rolled back when a worker refuses it', async () => {
    const scene = await begun(2);
    await labels(scene, 200, (_, i) => (i % 3 === 0 ? 'no' : 'yes'));
    await scene.pass(300_000);
    await scene.untilStates(3);
    expect(served(scene)[2]).toEqual(['c1', null, 0]);
    await scene.pass(31_000);
    await scene.label(label('late', { modelSequence: 2 }), 1);
    await scene.untilStates(4);
    expect(served(scene)[3]).toEqual(['shipped', null, 0]);
    expect((await scene.audit()).at(-1)?.what).toBe('state 4: rollback informative');
  });
});

describe('people’s rulings', () => {
  /** A promoted champion that said no of 20 posts; people call so many of them informative, and the others not. */
  const ruled = async (contrary: number, more: { pinned?: boolean; afterMs?: number } = {}) => {
    const scene = await gateScene();
    await scene.candidate('c1');
    await scene.start({ rules: { shadowMs: 0, canaryMs: 0 } });
    await scene.untilStates(3);
    if (more.pinned) {
      await scene.ask({ action: 'pin' });
      await scene.untilStates(4);
    }
    const state = scene.states().at(-1) as DesiredState;
    const { name = '', version = '' } = task(state)?.champion ?? {};
    for (let i = 0; i < 20; i += 1)
      await scene.label(
        label(`p${i}`, {
          modelSequence: state.sequence,
          tasks: [{ ...scored(0.1, 'no'), model: { name, version, sha256: '' } }],
        }),
        i % 6,
      );
    if (more.afterMs) await scene.pass(more.afterMs);
    for (let i = 0; i < 20; i += 1)
      await scene.rule(`p${i}`, i < contrary ? 'informative' : 'not_informative');
    return scene;
  };

  it('take a promoted champion back when they contradict it more often than not', async () => {
    const scene = await ruled(14, { afterMs: 3_000_000 });
    await scene.untilStates(4);
    expect(served(scene)[3]).toEqual(['shipped', null, 0]);
    expect((await scene.audit()).at(-1)).toMatchObject({
      who: 'gate',
      what: 'state 4: rollback informative',
      why: 'People contradict 14 of its answers to 20 posts that they ruled on. So c1 does not stay.',
    });
  });

  it.each([
    ['that often is chance', 13, {}],
    ['the hour after the promotion is over', 20, { afterMs: 3_700_000 }],
    ['a person pinned it', 20, { pinned: true }],
  ])('leave it when %s', async (_, contrary, more) => {
    const scene = await ruled(contrary, more);
    const states = scene.states().length;
    await scene.pass(1_000);
    await scene.pass(1_000);
    expect(scene.states()).toHaveLength(states);
  });

  it('take a challenger off the canary', async () => {
    const scene = await gateScene();
    await scene.candidate('c1');
    await scene.start({ rules: { shadowMs: 0 } });
    await scene.untilStates(2);
    await labels(scene, 20, (isChallenger) => (isChallenger ? 'no' : 'yes'));
    for (let i = 0; i < 20; i += 1) {
      await scene.rule(`p0-${i}`, 'informative');
      await scene.rule(`p1-${i}`, 'informative');
    }
    await scene.untilStates(3);
    expect(served(scene)[2]).toEqual(['shipped', null, 0]);
    expect((await scene.audit()).at(-1)?.why).toContain('contradict 20 of its answers to 20 posts');
  });
});

describe('people', () => {
  const promoted = async (rules = {}): Promise<GateScene> => {
    const scene = await gateScene();
    await scene.candidate('c1');
    await scene.start({ rules: { shadowMs: 0, canaryMs: 0, ...rules } });
    await scene.untilStates(3);
    return scene;
  };

  it('roll back and promote again; twice back is refused where there is nothing before', async () => {
    const scene = await promoted();
    await scene.ask({ action: 'rollback' });
    await scene.ask({ action: 'rollback' });
    await scene.ask({ action: 'promote', version: 'c1' });
    await scene.ask({ action: 'promote', version: 'c1' });
    await scene.ask({ action: 'promote', version: 'none' });
    await scene.ask({ action: 'promote', version: '../../etc' });
    await scene.ask({ action: 'rollback', why: ' ' });
    expect(await answers(scene, 7)).toEqual([
      'state 4: rollback informative',
      'refused: rollback informative',
      'state 5: promote informative',
      'refused: promote informative c1',
      'refused: promote informative none',
      'refused: promote informative ../../etc',
      'refused: rollback informative',
    ]);
    expect(served(scene).slice(3)).toEqual([
      ['shipped', null, 0],
      ['c1', null, 0],
    ]);
  });

  it('are told that there is no such task', async () => {
    const scene = await gateScene();
    await scene.start();
    await scene.ask({ action: 'rollback', task: 'nothing' });
    expect(await answers(scene, 1)).toEqual(['refused: rollback nothing']);
  });

  it('take back a challenger that is under way', async () => {
    const scene = await gateScene();
    await scene.candidate('c1');
    await scene.start();
    await scene.untilStates(1);
    await scene.ask({ action: 'rollback' });
    expect(await answers(scene, 1)).toEqual(['state 2: withdraw informative']);
    expect(served(scene)[1]).toEqual(['shipped', null, 0]);
  });

  it('pin: the gate then promotes nothing by itself, until it is unpinned', async () => {
    const scene = await gateScene();
    await scene.start();
    await scene.ask({ action: 'pin' });
    expect(await answers(scene, 1)).toEqual(['state 1: pin informative']);
    await scene.candidate('c1');
    await scene.pass(10_000_000);
    await scene.ask({ action: 'promote', version: 'shipped' });
    expect(await answers(scene, 2)).toHaveLength(2);
    expect(scene.states()).toHaveLength(1);
    await scene.ask({ action: 'unpin' });
    await scene.untilStates(3);
    expect(task(scene.states()[2])?.challenger?.version).toBe('c1');
  });

  it('need a second one where the rule is on', async () => {
    const scene = await promoted({ twoPersons: true });
    await scene.ask({ action: 'rollback' });
    await scene.ask({ action: 'rollback', approvals: ['ada'] });
    await scene.ask({ action: 'rollback', approvals: ['grace'] });
    expect(await answers(scene, 3)).toEqual([
      'refused: rollback informative',
      'refused: rollback informative',
      'state 4: rollback informative',
    ]);
  });

  it('are refused a version that is no longer what was signed; the gate goes on', async () => {
    const scene = await promoted();
    await scene.ask({ action: 'rollback' });
    await answers(scene, 1);
    await writeFile(join(scene.registry.paths.models, 'informative', 'c1', 'text.onnx'), 'other weights');
    await scene.ask({ action: 'promote', version: 'c1' });
    await scene.ask({ action: 'pin' });
    expect(await answers(scene, 3)).toEqual([
      'state 4: rollback informative',
      'refused: promote informative c1',
      'state 5: pin informative',
    ]);
  });
});

describe('a gate that starts again', () => {
  it('answers no request twice, goes on with the rollout, and leaves nothing aside', async () => {
    const scene = await gateScene();
    await scene.candidate('c1');
    const first = await scene.start();
    await scene.untilStates(1);
    await scene.ask({ action: 'rollback' });
    await scene.untilStates(2);
    await first.close();
    await scene.candidate('c2');
    const second = await scene.start();
    await scene.untilStates(3);
    expect(task(scene.states()[2])?.challenger?.version).toBe('c2');
    await second.close();
    await scene.start();
    await scene.pass(600_000);
    await scene.untilStates(4);
    expect(task(scene.states()[3])?.canary).toHaveLength(1);
    expect(await answers(scene, 1)).toHaveLength(1);
    const names = await readdir(join(scene.registry.paths.models, 'informative'));
    expect(names.sort()).toEqual(['c1', 'c2', 'shipped']);
  });
});
