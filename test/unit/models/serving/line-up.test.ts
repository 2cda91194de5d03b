import { describe, expect, it } from 'vitest';
import { TocsinError } from '../../../../src/base/errors.ts';
import type { DesiredState, DesiredTask, ModelVersion } from '../../../../src/event/records.ts';
import { createLineUps, type Opener } from '../../../../src/models/serving/line-up.ts';

const version = (name: string): ModelVersion => ({ name: 'm', version: name, digest: `digest of ${name}` });

const task = (champion: string, more: Partial<DesiredTask> = {}): DesiredTask => ({
  task: 'informative',
  champion: version(champion),
  challenger: null,
  canary: [],
  pinned: false,
  ...more,
});

const state = (sequence: number, ...tasks: DesiredTask[]): DesiredState => ({
  kind: 'DesiredState',
  sequence,
  environment: 'lab',
  issuedAt: 0,
  notAfter: 0,
  tasks,
  why: '',
  keyId: '',
  signature: new Uint8Array(),
});

interface Fake {
  readonly name: string;
  close(): Promise<void>;
}

/** Openers that write down what is opened and closed; versions named `bad…` cannot be opened. */
function fakes() {
  const log: string[] = [];
  const opener = (first: string): Opener<Fake> => ({
    first: version(first),
    async open({ version: name }) {
      if (name.startsWith('bad')) throw new TocsinError('MODEL_INVALID', name);
      log.push(`+${name}`);
      return {
        name,
        close: async () => {
          log.push(`-${name}`);
        },
      };
    },
  });
  return { log, lineUps: createLineUps({ informative: opener('i0'), humanitarian: opener('h0') }) };
}

describe('a line-up', () => {
  it('has the first model of every task that the state does not name', async () => {
    const { lineUps } = fakes();
    const none = await lineUps.make(null);
    expect([none.sequence, none.on('informative', 0).answers.name]).toEqual([0, 'i0']);
    const lineUp = await lineUps.make(state(4, task('i1')));
    expect(lineUp.sequence).toBe(4);
    expect(lineUp.on('informative', 0)).toMatchObject({ answers: { name: 'i1' }, shadow: null });
    expect(lineUp.on('humanitarian', 0)).toMatchObject({ answers: { name: 'h0' }, shadow: null });
  });

  it('lets the challenger answer on canary partitions and score beside on the others', async () => {
    const { lineUps } = fakes();
    const lineUp = await lineUps.make(state(1, task('i1', { challenger: version('i2'), canary: [3] })));
    expect(lineUp.on('informative', 3)).toMatchObject({ answers: { name: 'i2' }, shadow: null });
    expect(lineUp.on('informative', 2)).toMatchObject({ answers: { name: 'i1' }, shadow: { name: 'i2' } });
  });

  it('opens a model once for all that use it, and closes it after the last', async () => {
    const { log, lineUps } = fakes();
    const one = await lineUps.make(state(1, task('i1', { challenger: version('i2') })));
    const two = await lineUps.make(state(2, task('i2')));
    expect(log).toEqual(['+i1', '+i2', '+h0']);
    await one.close();
    await one.close();
    expect(log.slice(3)).toEqual(['-i1']);
    await two.close();
    expect(log.slice(4).sort()).toEqual(['-h0', '-i2']);
  });

  it('leaves nothing open when one of its models cannot be opened', async () => {
    const { log, lineUps } = fakes();
    const bad = { ...task('h1'), task: 'humanitarian', challenger: version('bad') };
    await expect(lineUps.make(state(1, task('i1'), bad))).rejects.toMatchObject({ code: 'MODEL_INVALID' });
    expect(log.sort()).toEqual(['+h1', '+i1', '-h1', '-i1']);
    // What failed is tried again when it is asked for again.
    await expect(lineUps.make(state(2, task('bad')))).rejects.toMatchObject({ code: 'MODEL_INVALID' });
  });
});
