/** Who served when follows from the states alone. */
import { describe, expect, it } from 'vitest';
import type { DesiredState, ModelVersion } from '../../../../src/event/records.ts';
import {
  challengerSince,
  championSince,
  championsOf,
  referenceOf,
  tasksInForce,
} from '../../../../src/registry/gate/lineage.ts';

const version = (name: string): ModelVersion => ({ name: 'mmn', version: name, digest: name });
const SHIPPED = [{ task: 'informative', version: version('s') }];
const state = (
  sequence: number,
  champion: string,
  more: { challenger?: string; canary?: number[] } = {},
): DesiredState => ({
  kind: 'DesiredState',
  sequence,
  environment: 'lab',
  issuedAt: sequence * 100,
  notAfter: 0,
  tasks: [
    {
      task: 'informative',
      champion: version(champion),
      challenger: more.challenger ? version(more.challenger) : null,
      canary: more.canary ?? [],
      pinned: false,
    },
  ],
  why: '',
  keyId: '',
  signature: new Uint8Array(),
});
const line = (history: readonly DesiredState[]): string[] =>
  championsOf(history, SHIPPED, 'informative').map((v) => v.version);

describe('the line of champions', () => {
  it('begins with the shipped one and forgets what was rolled back', () => {
    expect(line([])).toEqual(['s']);
    const up = [state(1, 's', { challenger: 'a' }), state(2, 'a'), state(3, 'b')];
    expect(line(up)).toEqual(['s', 'a', 'b']);
    expect(line([...up, state(4, 'a')])).toEqual(['s', 'a']);
    expect(line([...up, state(4, 'a'), state(5, 's')])).toEqual(['s']);
    expect(line([...up, state(4, 'a'), state(5, 'c')])).toEqual(['s', 'a', 'c']);
  });

  it('gives the champion of five promotions ago, or the first', () => {
    const of = (names: string): string | undefined => referenceOf([...names].map(version))?.version;
    expect(['s', 'sa', 'sab', 'sabcde', 'sabcdef'].map(of)).toEqual([undefined, 's', 's', 's', 'a']);
  });
});

describe('times', () => {
  it('count from where the challenger came to be where it is, whatever else was announced', () => {
    const history = [
      state(1, 's', { challenger: 'a' }),
      state(2, 's', { challenger: 'a' }),
      state(3, 's', { challenger: 'a', canary: [1] }),
      state(4, 's', { challenger: 'a', canary: [1] }),
    ];
    expect([1, 2, 3, 4].map((n) => challengerSince(history.slice(0, n), 'informative'))).toEqual([
      100, 100, 300, 300,
    ]);
    expect(challengerSince([...history, state(5, 'a')], 'informative')).toBeNull();
  });

  it('say when the champion changed last', () => {
    expect(championSince([state(1, 's')], SHIPPED, 'informative')).toBeNull();
    const history = [state(1, 's'), state(2, 'a'), state(3, 'a')];
    expect(championSince(history, SHIPPED, 'informative')).toEqual({ at: 200, sequence: 2 });
  });
});

it('serves a task that no state knows by its shipped model', () => {
  const shipped = [...SHIPPED, { task: 'rumour', version: version('r') }];
  expect(tasksInForce([state(1, 'a')], shipped).map((t) => [t.task, t.champion.version])).toEqual([
    ['informative', 'a'],
    ['rumour', 'r'],
  ]);
});
